"""A validation split cut from a training split: a record set read as the source of another."""

import functools
from collections.abc import Iterator

import numpy as np
from rich.console import Console

from fer_keras.data.records import RecordSet, read_columns
from fer_keras.data.sidecars import read_sidecar, read_stamp
from fer_keras.faces.crop_geometry import find_geometry
from tfrecords_tools.extras import KEPT
from tfrecords_tools.importers.base import Importer, LeftOut, Row, sample_of
from tfrecords_tools.inspection import SidecarStatistics, list_sidecars
from tfrecords_tools.reading import hash_split, iterate_batches, progress_bar
from tfrecords_tools.selection import SelectionError, choose_subset, choose_validation

TRAIN, VALIDATION = "train", "validation"


class SplitRecordSet(Importer):
    """A record set whose training split is divided into ``train`` and ``validation``; other splits stay.

    Pixel-identical images never straddle the two. Images stay as encoded, labels, votes, positions and sources as
    they are; ``sample_id`` is counted anew in both, in the old order. Sidecars that came with the data set are divided
    like the records; those that were derived later do not apply to the new set.

    Args:
        parent: the set to divide.
        split: its training split.
        validation: fraction of each class that goes to validation, in (0, 1).
        train_size: keep only a stratified subset of this many training samples; None keeps all.
        seed: another seed, another choice.
        console: where the progress bar goes; None shows none.

    Raises:
        RecordSetError: the parent has no such split.
        SelectionError: nothing can be chosen like this, or a split ``train`` or ``validation`` is in the way.
    """

    def __init__(
        self,
        parent: RecordSet,
        split: str,
        validation: float,
        train_size: int | None = None,
        seed: int = 0,
        console: Console | None = None,
    ):
        self.parent, self.split = parent, split
        self.name, self.class_names = parent.name, parent.class_names
        self.crop_geometry = find_geometry(parent.directory)
        self.validation, self.train_size, self.seed = validation, train_size, seed
        examples = parent.split(split).num_examples
        self.num_rows = sum(part.num_examples for part in parent.splits.values())
        taken = {TRAIN, VALIDATION} & (set(parent.splits) - {split})
        if taken:
            raise SelectionError(f"{parent.directory}: already has a split {taken.pop()!r} beside {split!r}")
        with progress_bar(console or Console(quiet=True)) as progress:
            task = progress.add_task("comparing pixels", total=examples)
            hashes = hash_split(parent, split, functools.partial(progress.advance, task))
        labels = read_columns(parent, split, ["label"])["label"]
        chosen = choose_validation(hashes, labels, validation, seed)
        if not chosen.any() or chosen.all():
            raise SelectionError(
                f"{parent.directory}: {validation:g} of {examples} samples of {split!r} leaves one side empty; "
                "choose another fraction"
            )
        rest = np.flatnonzero(~chosen)
        if train_size is not None:
            rest = rest[choose_subset([hashes[index] for index in rest], labels[rest], train_size, seed)]
        self._destination = np.full(examples, "", dtype=object)
        self._destination[chosen] = VALIDATION
        self._destination[rest] = TRAIN
        self._kept = [sidecar for sidecar in list_sidecars(parent) if self._stamp(sidecar).get(KEPT)]

    def inputs(self) -> dict[str, str]:
        return {name: split.fingerprint for name, split in self.parent.splits.items()}

    def options(self) -> dict:
        return {
            "split": self.split,
            "validation": self.validation,
            "train_size": self.train_size,
            "seed": self.seed,
            "parent": self.parent.provenance,
        }

    def sidecars(self) -> dict[str, dict]:
        stamps = {sidecar.name: self._stamp(sidecar) for sidecar in self._kept}
        return {name: {key: stamp[key] for key in stamp if key != "fingerprint"} for name, stamp in stamps.items()}

    def rows(self) -> Iterator[Row]:
        for name in self.parent.splits:
            kept = {
                sidecar.name: read_sidecar(self.parent, name, sidecar.name)
                for sidecar in self._kept
                if sidecar.split == name
            }
            for batch in iterate_batches(self.parent, name):
                for index, sample_id in enumerate(batch["sample_id"]):
                    destination = self._destination[sample_id] if name == self.split else name
                    if destination:
                        extras = {of: np.asarray(array[sample_id]) for of, array in kept.items()}
                        yield sample_of(batch, index, destination, extras)
                    else:
                        yield LeftOut(TRAIN, "not in the training subset")

    def _stamp(self, sidecar: SidecarStatistics) -> dict:
        return read_stamp(self.parent, sidecar.split, sidecar.name)
