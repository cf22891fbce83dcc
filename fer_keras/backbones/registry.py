"""Backbones by name."""

import difflib
import warnings
from pathlib import Path

import keras

from fer_keras.backbones.applications import application_options, applications, build_application
from fer_keras.backbones.fer_mini import fer_mini

_OWN = {"fer_mini": (fer_mini, ["widths", "blocks"])}


class BackboneError(ValueError):
    """A backbone that does not exist, or cannot be built as asked."""


def available() -> list[str]:
    """The names of all backbones, sorted.

    Example:
        >>> "fer_mini" in available()
        True
    """
    return sorted([*_OWN, *applications()])


def build_backbone(name: str, image_size: tuple[int, int], weights: str | None = None, **options) -> keras.Model:
    """Builds a feature extractor that takes pixels.

    Args:
        name: one of `available`; case, ``_`` and ``-`` do not matter, so ``ConvNeXt_Tiny`` is ``convnexttiny``.
        image_size: (H, W) in pixels.
        weights: None, ``"imagenet"`` (networks of ``keras.applications`` only), or a file of weights that fits
            the backbone (``.weights.h5``, ``.h5`` or a backbone saved as ``.keras``).
        **options: arguments of the backbone's own builder, for example ``widths`` of ``fer_mini``.

    Returns:
        A functional model named after the backbone: input ``image`` (B, H, W, 3) float32, pixels 0..255 (their
        normalisation is part of the model); output the feature map (B, h, w, D).

    Raises:
        BackboneError: unknown name (the message suggests the nearest), image too small, unknown option, or
            weights that are missing or do not fit.

    Example:
        >>> build_backbone("fer_mini", (64, 64)).output.shape
        (None, 4, 4, 144)
    """
    key = _find(name)
    imagenet = weights == "imagenet"
    if imagenet and key in _OWN:
        raise BackboneError(f"backbone {key}: there are no ImageNet weights for it; use null or a file")
    if weights and not imagenet and not Path(weights).is_file():
        raise BackboneError(f'backbone {key}: weights {weights}: no such file (null, "imagenet" or a file)')
    allowed = _OWN[key][1] if key in _OWN else application_options(key)
    for option in options:
        if option not in allowed:
            raise BackboneError(f"backbone {key}: unknown option {option!r} (options: {', '.join(allowed) or 'none'})")
    size = (int(image_size[0]), int(image_size[1]))
    try:
        if key in _OWN:
            model = _OWN[key][0](size, **options)
        else:
            model = build_application(key, size, weights="imagenet" if imagenet else None, **options)
    except (TypeError, ValueError, OSError) as error:
        raise BackboneError(f"backbone {key}, image size {size[0]}x{size[1]}: {error}") from error
    if weights and not imagenet:
        _load_weights(model, weights)
    return model


def _load_weights(model: keras.Model, file: str) -> None:
    try:
        with warnings.catch_warnings():
            # Keras only warns when the file lacks some of the layers, and leaves these at random values.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(file)
    except (OSError, KeyError, ValueError, UserWarning) as error:
        reason = str(error).strip().splitlines()[0]
        raise BackboneError(f"backbone {model.name}: weights {file} do not fit: {reason}") from error


def _find(name: str) -> str:
    def plain(text: str) -> str:
        return text.lower().replace("_", "").replace("-", "")

    known = {plain(candidate): candidate for candidate in available()}
    if plain(name) in known:
        return known[plain(name)]
    near = difflib.get_close_matches(plain(name), known, n=1, cutoff=0.5)
    hint = f"; did you mean {known[near[0]]}?" if near else ""
    raise BackboneError(f"unknown backbone {name!r}{hint} (all: {', '.join(available())})")
