import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from fer_keras.config.augmentation import RandAugmentOptions
from fer_keras.config.schema import Config, Data, MethodSection, section_keys, section_of
from fer_keras.config.section import Section


def test_defaults_are_those_of_the_documented_file():
    config = Config()
    assert (config.name, config.seed, config.output_dir) == ("run", 0, "runs")
    assert config.data.image_size == (48, 48)
    assert config.data.augmentation.random_erasing.area == (0.02, 0.3)
    assert config.data.augmentation.rand_augment is None
    assert config.backbone.name == "fer_mini"
    assert config.method.name == "cross_entropy"
    assert config.schedule.decay == "cosine"
    assert config.training.monitor == "val_accuracy"


def test_every_key_is_described():
    missing = [key for key, field in section_keys().items() if not field.description]
    assert missing == []


def test_section_keys_reach_optional_sections():
    keys = section_keys()
    assert "data.augmentation.rand_augment.num_ops" in keys
    assert list(keys).index("data") < list(keys).index("data.directory")
    assert section_of(RandAugmentOptions | None) is RandAugmentOptions
    assert section_of(tuple[float, float]) is None


def test_every_section_forbids_unknown_keys_but_the_method():
    def sections(model: type[Section]):
        yield model
        for field in model.model_fields.values():
            if (inner := section_of(field.annotation)) is not None:
                yield from sections(inner)

    open_sections = [model for model in sections(Config) if model.model_config["extra"] != "forbid"]
    assert open_sections == [MethodSection]


def test_method_arguments_are_free():
    method = MethodSection(name="ldlva", k=8, options={"a": [1, None]})
    assert method.arguments == {"k": 8, "options": {"a": [1, None]}}
    assert method.model_dump() == {"name": "ldlva", "k": 8, "options": {"a": [1, None]}}


def test_arguments_are_a_copy():
    method = MethodSection(k=8)
    method.arguments["k"] = 9
    assert method.arguments == {"k": 8}


def test_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Config().seed = 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"seed": -1},
        {"seed": 1.5},
        {"seed": True},
        {"seed": "1"},
        {"name": "../up"},
        {"name": ""},
        {"name": "a\n"},
        {"output_dir": ""},
        {"data": {"batch_size": 0}},
        {"data": {"image_size": [4, 48]}},
        {"data": {"image_size": [48]}},
        {"data": {"targets": "soft"}},
        {"data": {"train_split": None}},
        {"data": {"validation_split": "train"}},
        {"data": {"test_split": "validation"}},
        {"data": {"targets": "votes", "noisy_labels": "noisy_labels-symmetric-0.3-seed0"}},
        {"data": {"augmentation": {"pad_and_crop": -1}}},
        {"data": {"augmentation": {"random_erasing": {"probability": 1.1}}}},
        {"data": {"augmentation": {"random_erasing": {"area": [0.3, 0.02]}}}},
        {"data": {"augmentation": {"random_erasing": {"area": [0.0, 0.3]}}}},
        {"data": {"augmentation": {"random_erasing": {"aspect": [0, 1]}}}},
        {"data": {"augmentation": {"rand_augment": {"num_ops": 0}}}},
        {"data": {"augmentation": {"rand_augment": {"rotation_limit": 200}}}},
        {"data": {"augmentation": {"aug_mix": {"alpha": 0}}}},
        {"data": {"augmentation": {"color_jitter": {"hue": 0.6}}}},
        {"data": {"augmentation": {"mix_up": {"alpha": 0}}}},
        {"data": {"augmentation": {"cut_mix": {"alpha": 1.5}}}},
        {"data": {"augmentation": {"keras": {"layer": "RandomInvert"}}}},
        {"data": {"augmentation": {"keras": ["RandomInvert"]}}},
        {"data": {"neighbors": "neighbors-x-k8", "augmentation": {"mix_up": {}}}},
        {"data": {"candidates": "candidates-mass", "augmentation": {"cut_mix": {}}}},
        {"data": {"neighbors": "neighbors-x-k8", "augmentation": {"keras_cv": [{"layer": "FourierMix"}]}}},
        {"schedule": {"epochs": 0}},
        {"schedule": {"learning_rate": 0.0}},
        {"schedule": {"learning_rate": float("nan")}},
        {"schedule": {"decay_rate": 1.5}},
        {"schedule": {"decay": "piecewise"}},
        {"schedule": {"boundaries": [3, 2]}},
        {"schedule": {"boundaries": [2, 2]}},
        {"schedule": {"boundaries": [0, 2]}},
        {"schedule": {"epochs": 2, "warmup_epochs": 2}},
        {"schedule": {"clip_norm": 0}},
        {"training": {"ema": 1.0}},
        {"training": {"early_stopping": 0}},
        {"training": {"devices": 0}},
        {"training": {"early_stopping": 3}, "data": {"validation_split": None}},
        {"schedule": {"beta_2": 1.0}},
        {"pretraining": {}},  # the monitor would be an accuracy
        {"pretraining": {"mask_ratio": 1.0}, "training": {"monitor": "val_loss"}},
        {"pretraining": {}, "training": {"monitor": "val_loss"}, "data": {"neighbors": "neighbors-x-k8"}},
        {"pretraining": {}, "training": {"monitor": "val_loss"}, "data": {"sampler": "balanced"}},
        {
            "pretraining": {},
            "training": {"monitor": "val_loss"},
            "data": {"joint": [{"directory": "a", "noisy_labels": "b"}]},
        },
        {"method": {"name": ""}},
        {"unknown": 1},
    ],
    ids=str,
)
def test_wrong_values_are_refused(wrong):
    with pytest.raises(ValidationError):
        Config.model_validate(wrong)


@pytest.mark.parametrize(
    "right",
    [
        {"data": {"validation_split": None, "test_split": "test"}},
        {"data": {"augmentation": {"rand_augment": {}}}},
        {"data": {"augmentation": {"aug_mix": {}, "color_jitter": {}, "mix_up": {}, "cut_mix": {}}}},
        {"data": {"augmentation": {"keras": [{"layer": "RandomPerspective", "scale": 0.2}]}}},
        {"data": {"augmentation": {"keras_cv": [{"layer": "GridMask", "ratio_factor": [0.2, 0.4]}]}}},
        {"data": {"neighbors": "neighbors-x-k8", "augmentation": {"keras_cv": [{"layer": "GridMask"}]}}},
        {"schedule": {"decay": "piecewise", "boundaries": [10, 20.5]}},
        {"schedule": {"learning_rate": 1}},
        {"pretraining": {}, "training": {"monitor": "val_loss"}, "data": {"joint": [{"directory": "a"}]}},
        {"pretraining": {"mask_ratio": 0.5}, "training": {"monitor": "loss"}, "data": {"validation_split": None}},
        {"training": {"early_stopping": 3}},
    ],
    ids=str,
)
def test_right_values_are_taken(right):
    config = Config.model_validate(right)
    assert Config.model_validate(config.model_dump()) == config


@pytest.mark.parametrize(
    ("augmentation", "mixes"),
    [
        ({}, False),
        ({"rand_augment": {}, "keras_cv": [{"layer": "GridMask"}]}, False),
        ({"mix_up": {}}, True),
        ({"cut_mix": {}}, True),
        ({"keras_cv": [{"layer": "GridMask"}, {"layer": "FourierMix"}]}, True),
    ],
)
def test_what_mixes_samples(augmentation, mixes):
    assert Config.model_validate({"data": {"augmentation": augmentation}}).data.augmentation.mixes_samples is mixes


def test_strong_views_keep_what_is_not_named():
    strong = {"pad_and_crop": 8, "rand_augment": {"num_ops": 1}}
    config = Config.model_validate({"data": {"labelled": "labelled-x", "unlabelled": {"strong": strong}}})
    found = config.data.unlabelled.strong
    assert (found.pad_and_crop, found.rand_augment.num_ops, found.rand_augment.factor) == (8, 1, 1.0)
    assert found.random_erasing.probability == 1.0
    with pytest.raises(ValueError, match="no labels to mix"):
        Config.model_validate({"data": {"unlabelled": {"strong": {"mix_up": {}}}}})


def test_sections_are_taken_as_objects_too():
    assert Config(data=Data(batch_size=3)).data.batch_size == 3


def test_the_documentation_lists_every_key_with_its_default():
    lines = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    expected = []
    for key, field in section_keys().items():
        default = field.get_default(call_default_factory=True)
        if not isinstance(default, Section):
            text = "needed" if field.is_required() else json.dumps(default).replace('"', "")
            expected.append(f"| `{key}` | `{text}` | {field.description} |")
    assert rows == expected
