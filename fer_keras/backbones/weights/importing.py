"""``import_weights``: a file of Keras or PyTorch becomes a weights file of one of our backbones, and a note on it."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

import fer_keras
from fer_keras.backbones import build_backbone
from fer_keras.backbones.applications import check_rescaling
from fer_keras.backbones.weights import tfjs_file, torch_file
from fer_keras.backbones.weights.keras_file import SUFFIXES as KERAS_SUFFIXES
from fer_keras.backbones.weights.keras_file import read_keras_file
from fer_keras.backbones.weights.matching import WeightsError, match
from fer_keras.backbones.weights.provenance import note_path, sha256, write_note
from fer_keras.backbones.weights.reading import Reading
from fer_keras.backbones.weights.statistics import restore_statistics
from fer_keras.backbones.weights.torch_layouts import TORCH_LAYOUTS
from fer_keras.files import replacing

if TYPE_CHECKING:
    from rich.table import Table

SUFFIX = ".weights.h5"
_PATCHES = 14
"""Images are built for 14 patches of a transformer on each side; its default patch of 16 makes that 224 pixels."""


@dataclasses.dataclass(frozen=True)
class ImportReport:
    """What `import_weights` did.

    Args:
        out: the file written.
        note: the content of the note beside it: ``source`` (file name), its ``sha256`` and ``format``, ``shards``
            (name -> SHA-256, where the arrays are in files beside the source), ``backbone``, ``options``, ``prefix``,
            the counts ``parameters`` (arrays) and ``values``, ``not_used`` (names), ``statistics`` (where they were
            restored: number and size of the images) and ``fer_keras``, the version.
    """

    out: Path
    note: dict[str, Any]

    def table(self) -> "Table":
        """The report for a terminal."""
        from rich.table import Table

        note = self.note
        table = Table(title=f"{note['source']} -> {self.out}", show_header=False)
        table.add_row("source", f"{note['source']} ({note['format']})")
        table.add_row("SHA-256", note["sha256"])
        for shard, digest in note.get("shards", {}).items():
            table.add_row(f"SHA-256 of {shard}", digest)
        table.add_row("backbone", note["backbone"])
        table.add_row("prefix", repr(note["prefix"]))
        table.add_row(
            "matched", f"{note['parameters']:,} of {note['parameters']:,} parameters, {note['values']:,} values"
        )
        table.add_row(
            "not used", f"{len(note['not_used'])}: {', '.join(note['not_used'])}" if note["not_used"] else "0"
        )
        if "statistics" in note:
            height, width = note["statistics"]["image_size"]
            table.add_row("statistics", f"of {note['statistics']['images']:,} images of {height}x{width}")
        table.add_row("written", f"{self.out}, {note_path(self.out).name}")
        return table


def import_weights(
    source: str | Path,
    backbone: str,
    out: str | Path,
    *,
    options: Mapping[str, Any] | None = None,
    prefix: str | None = None,
    ignore: Sequence[str] = (),
    faces: np.ndarray | None = None,
    overwrite: bool = False,
) -> ImportReport:
    """Reads the weights of a backbone from a file and stores them for ``backbone.weights``, with a note on the source.

    Every parameter of the backbone must be found in its shape, BatchNorm's statistics included; nothing stays random.

    Args:
        source: a PyTorch state dict (``.pth``, ``.pt``, ``.bin``, ``.tar``; for the backbones of `TORCH_LAYOUTS`),
            a Keras file (``.keras``, ``.h5``), of the backbone alone or of a model around it, or the ``.json`` of a
            TensorFlow.js graph model, its shards beside it (for ``mobilenet``).
        backbone: name of the backbone.
        out: file to write, ``*.weights.h5``; the note is ``<out>.json``. The same source gives the same note.
        options: arguments of the backbone's builder.
        prefix: what stands before the backbone's names in the file; None = find it.
        ignore: patterns of names that may stand in the file unused, beside classifiers.
        faces: (N, H, W, 3) images whose statistics BatchNorm shall hold, see `restore_statistics`; None = those of
            the file.
        overwrite: replace `out`.

    Returns:
        The report.

    Raises:
        WeightsError: `out` exists, the source cannot be read, or it does not fit; the message names the parameter.
            Or `faces` are given for a network without BatchNorm.
        BackboneError: there is no such backbone or option.

    Example:
        >>> import_weights("resnet18_msceleb.pth", "resnet18", "weights/msceleb.weights.h5")  # doctest: +SKIP
    """
    source, out, options = Path(source), Path(out), dict(options or {})
    if not out.name.endswith(SUFFIX):
        raise WeightsError(f"{out}: the name should end in {SUFFIX}")
    if out.exists() and not overwrite:
        raise WeightsError(f"{out}: exists; choose another --out, or replace it with --overwrite")
    if not source.is_file():
        raise WeightsError(f"{source}: no such file")
    # Weights do not depend on the size of the image; every backbone can be built for this one.
    side = _PATCHES * int(options.get("patch_size", 16))
    model = build_backbone(backbone, (side, side) if faces is None else faces.shape[1:3], **options)
    reading = _read(source, model)
    try:
        shapes = {name: array.shape for name, array in reading.found.items()}
        matched = match(reading.expected, shapes, reading.separator, prefix, ignore, reading.labels)
        arrays = {ours: reading.found[theirs] for ours, theirs in matched.names.items()}
        _check_finite(arrays, reading.labels)
    except WeightsError as error:
        raise WeightsError(f"{source} does not fit {model.name}: {error}") from error
    reading.assign(arrays)
    restored = {}
    if faces is not None:
        restore_statistics(model, faces)
        restored = {"statistics": {"images": len(faces), "image_size": list(faces.shape[1:3])}}
    note = {
        "source": source.name,
        "sha256": sha256(source),
        **({"shards": {shard.name: sha256(shard) for shard in reading.shards}} if reading.shards else {}),
        "format": reading.format,
        "backbone": model.name,
        "options": options,
        "prefix": matched.prefix,
        "parameters": len(arrays),
        "values": sum(array.size for array in arrays.values()),
        "not_used": [reading.labels.get(name, name) for name in matched.not_used],
        **restored,
        "fer_keras": fer_keras.__version__,
    }
    write_weights(model, out, note)
    return ImportReport(out, note)


def _read(source: Path, model: keras.Model) -> Reading:
    if source.suffix in KERAS_SUFFIXES:
        check_rescaling(model.name, source)
        return read_keras_file(source, model)
    if source.suffix in tfjs_file.SUFFIXES:
        if model.name not in tfjs_file.NETWORKS:
            raise WeightsError(f"{source}: TensorFlow.js files are read for mobilenet, not for {model.name}")
        return tfjs_file.read_graph_model(source, model)
    if source.suffix not in torch_file.SUFFIXES:
        known = ", ".join((*torch_file.SUFFIXES, *KERAS_SUFFIXES, *tfjs_file.SUFFIXES))
        raise WeightsError(f"{source}: unknown kind of file {source.suffix!r}; known: {known}")
    if model.name not in TORCH_LAYOUTS:
        raise WeightsError(
            f"{source}: PyTorch files are read for {', '.join(TORCH_LAYOUTS)}, not for {model.name}; "
            "give a Keras file (.keras, .h5)"
        )
    slots = TORCH_LAYOUTS[model.name](model)

    def assign(arrays: Mapping[str, np.ndarray]) -> None:
        for name, array in arrays.items():
            slots[name].assign(array)

    expected = {name: slot.torch_shape for name, slot in slots.items()}
    return Reading("PyTorch", torch_file.read_state_dict(source), expected, ".", assign)


def _check_finite(arrays: Mapping[str, np.ndarray], labels: Mapping[str, str]) -> None:
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise WeightsError(f"{labels.get(name, name)} holds a NaN or an infinity; the file is damaged")


def write_weights(model: keras.Model, out: Path, note: dict[str, Any]) -> None:
    """Stores the weights of a backbone for ``backbone.weights``, and a note on where they are from.

    Args:
        model: the backbone.
        out: file to write, ``*.weights.h5``; what it held is replaced.
        note: content of ``<out>.json``, to which the SHA-256 of the file is added.
    """
    with replacing(out) as temporary:
        named = temporary.with_name(f"{temporary.name}{SUFFIX}")  # Keras wants the suffix
        try:
            model.save_weights(named)
            named.replace(temporary)
        finally:
            named.unlink(missing_ok=True)
        note_path(out).unlink(missing_ok=True)  # an old note must not stand beside new weights
    write_note(out, note)
