import urllib.error

import keras
import numpy as np
import pytest

from fer_keras.backbones import BackboneError, available, build_backbone

SMALL = {"widths": [4, 8], "blocks": [1, 1]}


def test_available_names_are_sorted_and_of_both_kinds():
    assert available() == sorted(available())
    assert {"fer_mini", "resnet50", "resnet50v2", "efficientnetv2b0", "convnexttiny"} <= set(available())


@pytest.mark.parametrize("spelling", ["mobilenet_v2", "MobileNetV2", "mobilenet-v2"])
def test_spelling_of_names_is_forgiving(spelling):
    assert build_backbone(spelling, (32, 32)).name == "mobilenetv2"


@pytest.mark.parametrize(("name", "nearest"), [("fer_mni", "fer_mini"), ("resnet5O", "resnet50")])
def test_an_unknown_name_is_an_error_that_suggests_the_nearest(name, nearest):
    with pytest.raises(BackboneError, match=rf"unknown backbone '{name}'; did you mean {nearest}\?"):
        build_backbone(name, (48, 48))


def test_a_name_like_no_other_lists_all():
    with pytest.raises(BackboneError, match=r"unknown backbone '!!' \(all: .*fer_mini"):
        build_backbone("!!", (48, 48))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("inceptionv3", {}, "backbone inceptionv3, image size 48x48: Input size must be at least 75x75"),
        ("fer_mini", {"width": 3}, r"unknown option 'width' \(options: widths, blocks\)"),
        ("mobilenetv2", {"include_top": True}, r"unknown option 'include_top' \(options: alpha, normalization\)"),
        ("fer_mini", {"widths": [4]}, "backbone fer_mini, image size 48x48: widths and blocks"),
        ("fer_mini", {"weights": "imagenet"}, "no ImageNet weights"),
        ("fer_mini", {"weights": "no/such.weights.h5"}, "no/such.weights.h5: no such file"),
    ],
)
def test_impossible_requests_are_refused_in_one_line(name, options, message):
    with pytest.raises(BackboneError, match=message) as error:
        build_backbone(name, (48, 48), **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("file", ["backbone.weights.h5", "backbone.keras"])
def test_weights_come_from_a_file(file, tmp_path):
    model = build_backbone("fer_mini", (32, 32), **SMALL)
    (model.save if file.endswith(".keras") else model.save_weights)(tmp_path / file)
    loaded = build_backbone("fer_mini", (32, 32), weights=str(tmp_path / file), **SMALL)
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3))
    np.testing.assert_array_equal(loaded(images), model(images))


@pytest.mark.parametrize(
    ("name", "options"), [("fer_mini", {"widths": [4, 9], "blocks": [1, 1]}), ("vgg16", {}), (None, {})]
)
def test_weights_that_do_not_fit_are_refused(name, options, tmp_path):
    file = tmp_path / "other.weights.h5"
    if name:
        build_backbone(name, (32, 32), **options).save_weights(file)
    else:
        file.write_text("not a weights file")
    with pytest.raises(BackboneError, match=r"other\.weights\.h5 do not fit") as error:
        build_backbone("fer_mini", (32, 32), weights=str(file), **SMALL)
    assert "\n" not in str(error.value)


def test_weights_that_lack_a_layer_are_refused(tmp_path):
    file = tmp_path / "shorter.weights.h5"
    build_backbone("fer_mini", (32, 32), widths=[4], blocks=[1]).save_weights(file)
    with pytest.raises(BackboneError, match="do not fit"):
        build_backbone("fer_mini", (32, 32), weights=str(file), **SMALL)


def test_without_a_network_the_file_and_its_place_are_named(monkeypatch, write_legacy, tmp_path):
    from keras.src.utils import file_utils

    def refuse(*_):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(file_utils, "urlretrieve", refuse)
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    name = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5"
    expected = rf"no network to download .*\(Name or service not known\); fetch http\S+/{name} by hand and put it at "
    with pytest.raises(BackboneError, match=rf"{expected}{tmp_path}/models/{name}, or set backbone\.weights") as error:
        build_backbone("mobilenetv2", (96, 96), weights="imagenet", alpha=0.35)
    assert "\n" not in str(error.value)
    network = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(96, 96, 3), alpha=0.35)
    write_legacy(network, tmp_path / "models" / name)
    found = build_backbone("mobilenetv2", (96, 96), weights="imagenet", alpha=0.35)
    np.testing.assert_array_equal(found.get_layer("Conv1").kernel, network.get_layer("Conv1").kernel)
