"""Backbones by name."""

import difflib
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import keras

from fer_keras import keras_cv
from fer_keras.backbones.applications import (
    application_options,
    applications,
    build_application,
    check_rescaling,
    missing_download,
)
from fer_keras.backbones.fer_mini import fer_mini
from fer_keras.backbones.keras_cv_networks import PREFIX, build_network, load_network_weights, network_options, networks
from fer_keras.backbones.resnet import RESNETS
from fer_keras.backbones.vit import OPTIONS as VIT_OPTIONS
from fer_keras.backbones.vit import VITS
from fer_keras.backbones.weights.torch_file import SUFFIXES as TORCH_SUFFIXES

_OWN = {
    "fer_mini": (fer_mini, ["widths", "blocks"]),
    **{name: (builder, ["normalization"]) for name, builder in RESNETS.items()},
    **{name: (builder, VIT_OPTIONS) for name, builder in VITS.items()},
}


class BackboneError(ValueError):
    """A backbone that does not exist, or cannot be built as asked."""


def available() -> list[str]:
    """The names of all backbones, sorted; those of ``keras_cv/...`` if it is installed.

    Example:
        >>> "fer_mini" in available()
        True
    """
    return sorted([*_OWN, *applications(), *networks()])


def build_backbone(name: str, image_size: tuple[int, int], weights: str | None = None, **options) -> keras.Model:
    """Builds a feature extractor that takes pixels.

    Args:
        name: one of `available`; case, ``_`` and ``-`` do not matter, so ``ConvNeXt_Tiny`` is ``convnexttiny``.
        image_size: (H, W) in pixels.
        weights: None, ``"imagenet"`` (networks of ``keras.applications`` only), or a file of weights that fits
            the backbone: ``.weights.h5``, an official ``.h5`` without classifier, or a backbone saved as ``.keras``.
            Other files go through `fer_keras.backbones.weights.importing.import_weights`.
        **options: arguments of the backbone's own builder, for example ``widths`` of ``fer_mini``.

    Returns:
        A functional model named after the backbone: input ``image`` (B, H, W, 3) float32, pixels 0..255 (their
        normalisation is part of the model); output the feature map (B, h, w, D). Its attribute ``pretrained`` says
        whether it was given weights.

    Raises:
        BackboneError: unknown name (the message suggests the nearest), image too small, unknown option, or
            weights that are missing, do not fit, or cannot be downloaded.

    Example:
        >>> build_backbone("fer_mini", (64, 64)).output.shape
        (None, 4, 4, 144)
    """
    key = _find(name)
    imagenet = weights == "imagenet"
    if imagenet and key not in applications():
        raise BackboneError(f"backbone {key}: there are no ImageNet weights for it; use null or a file")
    if weights and not imagenet and not Path(weights).is_file():
        raise BackboneError(f'backbone {key}: weights {weights}: no such file (null, "imagenet" or a file)')
    allowed = _options(key)
    for option in options:
        if option not in allowed:
            raise BackboneError(f"backbone {key}: unknown option {option!r} (options: {', '.join(allowed) or 'none'})")
    size = (int(image_size[0]), int(image_size[1]))
    try:
        if key in _OWN:
            model = _OWN[key][0](size, **options)
        elif key.startswith(PREFIX):
            model = build_network(key, size, **options)
        else:
            model = build_application(key, size, weights="imagenet" if imagenet else None, **options)
    except (TypeError, ValueError, OSError) as error:
        raise BackboneError(f"backbone {key}, image size {size[0]}x{size[1]}: {error}") from error
    except Exception as error:  # Keras raises a plain Exception where a download fails
        if missing_download(error) is None:
            raise
        raise BackboneError(f"backbone {key}: {missing_download(error)}") from error
    if weights and not imagenet:
        _load_weights(model, weights, load_network_weights if key.startswith(PREFIX) else keras.Model.load_weights)
    model.pretrained = weights is not None
    return model


def _options(key: str) -> list[str]:
    if key.startswith(PREFIX):
        return network_options(key)
    return _OWN[key][1] if key in _OWN else application_options(key)


def _load_weights(model: keras.Model, file: str, load: Callable[[keras.Model, str], None]) -> None:
    if Path(file).suffix in TORCH_SUFFIXES:
        raise BackboneError(
            f"backbone {model.name}: weights {file}: a PyTorch file; make a weights file of it first: "
            f"fer-keras import-weights {file} --backbone {model.name} --out weights/{Path(file).stem}.weights.h5"
        )
    try:
        check_rescaling(model.name, file)
        with warnings.catch_warnings():
            # Keras only warns when the file lacks some of the layers, and leaves these at random values.
            warnings.simplefilter("error", UserWarning)
            load(model, file)
    except (OSError, KeyError, ValueError, UserWarning, zipfile.BadZipFile) as error:
        reason = str(error).strip().splitlines()[0]
        raise BackboneError(
            f"backbone {model.name}: weights {file} do not fit: {reason} (of a larger model, or of one with a "
            "classifier, fer-keras import-weights takes the backbone)"
        ) from error


def _find(name: str) -> str:
    def plain(text: str) -> str:
        return text.lower().replace("_", "").replace("-", "")

    if name.startswith(PREFIX) and not networks():
        keras_cv.load(f"backbone {name}")  # says what is missing
    known = {plain(candidate): candidate for candidate in available()}
    if plain(name) in known:
        return known[plain(name)]
    near = difflib.get_close_matches(plain(name), known, n=1, cutoff=0.5)
    hint = f"; did you mean {known[near[0]]}?" if near else ""
    raise BackboneError(f"unknown backbone {name!r}{hint} (all: {', '.join(available())})")
