"""``pretrain``: a configuration in, a run folder with the weights of a backbone out."""

from typing import TYPE_CHECKING

import keras

import fer_keras
from fer_keras.backbones import build_backbone
from fer_keras.backbones.weights.importing import write_weights
from fer_keras.backbones.weights.provenance import sha256
from fer_keras.config import Config
from fer_keras.data.pipeline import evaluation_dataset
from fer_keras.data.records import RecordSet
from fer_keras.evaluation.results import write_results_figure
from fer_keras.evaluation.run_folder import read_pretraining
from fer_keras.files import write_json
from fer_keras.pretraining.masked_autoencoder import MaskedAutoencoder
from fer_keras.pretraining.reconstructions import write_reconstructions
from fer_keras.training.run_folder import RunFolder
from fer_keras.training.trainer import TrainingError, prepare_folder, run_epochs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

WEIGHTS_FILE = "backbone.weights.h5"
RECONSTRUCTIONS_FILE = "reconstructions.png"
_SHOWN = 8
"""Images in the picture of reconstructions."""


def build_autoencoder(config: Config, record_set: RecordSet, weights_file: bool = True) -> MaskedAutoencoder:
    """The autoencoder of a configuration, not yet compiled.

    Args:
        config: the resolved configuration, with a section ``pretraining``.
        record_set: not used; the model does not depend on the data.
        weights_file: whether ``backbone.weights`` is read; not needed where a checkpoint follows.

    Raises:
        ValueError: unknown backbone or option, one that is not a Vision Transformer, or sizes that do not divide.
    """
    weights = config.backbone.weights if weights_file else None
    backbone = build_backbone(config.backbone.name, config.data.image_size, weights, **config.backbone.options)
    return MaskedAutoencoder(backbone, **config.pretraining.model_dump(), name="masked_autoencoder")


def pretrain(
    config: Config,
    *,
    resume: bool | None = None,
    overwrite: bool = False,
    console: "Console | None" = None,
    callbacks: "Sequence[keras.callbacks.Callback]" = (),
) -> "Path":
    """Trains, or continues to train, a backbone by masked autoencoding; labels are not looked at.

    Beside what every run has (docs/architecture.md, A run), the folder holds ``backbone.weights.h5``: the backbone
    after the last epoch, for ``backbone.weights`` of `fer_keras.training.train`, with a note on how it was made;
    ``reconstructions.png``; and, written last, ``metrics.json``.

    Args:
        config: the resolved configuration, with a section ``pretraining``.
        resume, overwrite, console, callbacks: as for `fer_keras.training.train`.

    Returns:
        The run folder.

    Raises:
        TrainingError: there is no section ``pretraining``; the folder holds a finished run, or one of another
            configuration.
        KeyboardInterrupt: after Ctrl-C; every finished epoch is kept.

    Example:
        >>> from fer_keras.config import load_config
        >>> pretrain(load_config("configs/pretrain/ferplus_vit_tiny.yaml"))  # doctest: +SKIP
    """
    if config.pretraining is None:
        raise TrainingError(
            "pretraining: the configuration has no such section, so it is one for fer-keras train; start from one in "
            "configs/pretrain, or add --set pretraining={}"
        )
    folder = RunFolder(f"{config.output_dir}/{config.name}")
    prepare_folder(folder, config, resume, overwrite)
    model = run_epochs(config, folder, build_autoencoder, console, callbacks)
    weights = folder.path / WEIGHTS_FILE
    write_weights(model.backbone, weights, _note(config, folder))
    write_results_figure(folder.path)
    split = config.data.validation_split or config.data.train_split
    shown = evaluation_dataset(RecordSet.load(config.data.directory), split, config.data.image_size, _SHOWN)
    images = next(iter(shown))[0]["image"].numpy()
    write_reconstructions(model, images, folder.path / RECONSTRUCTIONS_FILE, f"{config.name}: images of {split}")
    state = folder.load_state()
    write_json(
        folder.metrics,
        {
            "best_epoch": state["best_epoch"],
            "epochs": state["epoch"],
            "pretraining": read_pretraining(folder.path),
            "last": state["history"][-1],
            "backbone": {"file": WEIGHTS_FILE, "sha256": sha256(weights)},
        },
    )
    if console is not None:
        losses = ", ".join(f"{key} {value:.4f}" for key, value in state["history"][-1].items() if "loss" in key)
        console.print(f"{losses}; next: --set backbone.weights={weights}", soft_wrap=True, highlight=False)
    return folder.path


def _note(config: Config, folder: RunFolder) -> dict:
    """What is told of the weights wherever a run starts from them."""
    data = []
    for source in config.data.training_sources:
        record_set = RecordSet.load(source.directory)
        split = record_set.split(source.train_split)
        data.append(
            {
                "name": record_set.name,
                "split": source.train_split,
                "samples": split.num_examples,
                "fingerprint": split.fingerprint,
            }
        )
    return {
        "source": f"run {config.name}",
        "backbone": config.backbone.name,
        "options": config.backbone.options,
        "image_size": list(config.data.image_size),
        "pretraining": {
            "method": "masked autoencoding",
            "mask_ratio": config.pretraining.mask_ratio,
            "epochs": folder.load_state()["epoch"],
            "seed": config.seed,
            "data": data,
            "started_from": read_pretraining(folder.path),
        },
        "fer_keras": fer_keras.__version__,
    }
