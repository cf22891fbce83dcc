"""Every network of ``keras.applications`` as a backbone that takes pixels 0..255."""

import inspect
import os
import re
from collections.abc import Callable
from pathlib import Path

import keras

from fer_keras.backbones.weights.keras_file import has_imagenet_rescaling
from fer_keras.backbones.weights.matching import WeightsError
from fer_keras.layers.pixel_normalization import PixelNormalization

NORMALIZATION: dict[str, str] = {
    "convnext": "none",
    "densenet": "torch",
    "efficientnet": "none",
    "efficientnet_v2": "none",
    "inception_resnet_v2": "tf",
    "inception_v3": "tf",
    "mobilenet": "tf",
    "mobilenet_v2": "tf",
    "mobilenet_v3": "none",
    "nasnet": "tf",
    "resnet": "caffe",
    "resnet_v2": "tf",
    "vgg16": "caffe",
    "vgg19": "caffe",
    "xception": "tf",
}
"""Module of ``keras.applications`` -> mode of `PixelNormalization` that equals its ``preprocess_input``.

``"none"``: the network has its own rescaling layers.
"""

_SET_HERE = {
    "classes",
    "classifier_activation",
    "include_preprocessing",
    "include_top",
    "input_shape",
    "input_tensor",
    "name",
    "pooling",
    "weights",
}


def applications() -> dict[str, Callable[..., keras.Model]]:
    """The networks by lower-case name, for example ``resnet50v2``."""
    found = {}
    for name, member in inspect.getmembers(keras.applications, inspect.isfunction):
        if family(member) in NORMALIZATION:
            found[name.lower()] = member
    return found


def family(application: Callable[..., keras.Model]) -> str:
    """The module of ``keras.applications`` that a network comes from."""
    return application.__module__.rsplit(".", 1)[-1]


def application_options(name: str) -> list[str]:
    """The arguments of a network that are left to the user, for example ``alpha`` of ``mobilenetv2``."""
    own = [option for option in inspect.signature(applications()[name]).parameters if option not in _SET_HERE]
    return [*own, "normalization"]


def build_application(
    name: str, image_size: tuple[int, int], weights: str | None = None, normalization: str | None = None, **options
) -> keras.Model:
    """Builds a network of ``keras.applications`` without its classifier.

    Args:
        name: a key of `applications`.
        image_size: (H, W) in pixels.
        weights: ``"imagenet"`` (downloaded by Keras) or None for random weights.
        normalization: mode of `PixelNormalization`, for weights that were trained with another one than the network's
            own; None = `NORMALIZATION`.
        **options: further arguments of the network, see `application_options`.

    Returns:
        A functional model `name`: input ``image`` (B, H, W, 3) float32 pixels 0..255, output the feature map
        (B, h, w, D). Its layers keep the names they have in Keras.

    Raises:
        ValueError: the image is too small for the network, or `normalization` is unknown.
        TypeError: an option does not exist.

    Example:
        >>> build_application("mobilenetv2", (64, 64), alpha=0.35).output.shape
        (None, 2, 2, 1280)
    """
    application = applications()[name]
    shape = (*image_size, 3)
    image = keras.Input(shape, name="image")
    mode = normalization or NORMALIZATION[family(application)]
    pixels = PixelNormalization(mode, name="pixel_normalization")(image)
    network = application(include_top=False, weights=weights, input_tensor=pixels, input_shape=shape, **options)
    return keras.Model(image, network.output, name=name)


def check_rescaling(name: str, file: str | Path) -> None:
    """Refuses a weights file that would load into an EfficientNet and mean something else there.

    Args:
        name: of the backbone.
        file: a readable Keras file of weights.

    Raises:
        WeightsError: the network is one of EfficientNetB0 to B7, to which Keras adds a layer without weights if they
            are built with ``weights="imagenet"`` only, and the file is, or may be, of the network with that layer.
    """
    networks = applications()
    if name in networks and family(networks[name]) == "efficientnet" and has_imagenet_rescaling(file):
        raise WeightsError(
            "Keras rescales the input of EfficientNetB0 to B7 once more for ImageNet weights, and only where they are "
            f'called "imagenet"; put the official file into {_models_folder()} and use backbone.weights: imagenet'
        )


def missing_download(error: Exception) -> str | None:
    """What to do about ImageNet weights that Keras could not download; None for any other error.

    Example:
        >>> missing_download(Exception("URL fetch failure on https://a.b/c/net.h5: None -- refused"))[:54]
        'no network to download the ImageNet weights (refused);'
    """
    failure = re.match(r"URL fetch failure on (\S+): .* -- (.*)", str(error))
    if failure is None:
        return None
    url, reason = failure.groups()
    return (
        f"no network to download the ImageNet weights ({reason}); fetch {url} by hand and put it at "
        f"{_models_folder() / url.rpartition('/')[2]}, or set backbone.weights to the file"
    )


def _models_folder() -> Path:
    """Where Keras looks for weights before it downloads them."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
