import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_keras.config import Config, ConfigError, dump_config, load_config


def refusal(path: str, *overrides: str) -> str:
    with pytest.raises(ConfigError) as error:
        load_config(path, overrides)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_an_empty_file_is_the_defaults(write):
    assert load_config(write("a.yaml", "# nothing\n")) == Config()


def test_later_bases_and_the_file_itself_win(write):
    write("_base_/one.yaml", "seed: 1\nname: one\nschedule: {epochs: 1, learning_rate: 0.1, boundaries: [1, 2]}")
    write("_base_/two.yaml", "name: two\nschedule: {epochs: 2, boundaries: [7]}")
    path = write("exp/a.yaml", "_base_: [../_base_/one.yaml, ../_base_/two.yaml]\nschedule: {epochs: 3}")
    config = load_config(path)
    assert (config.seed, config.name) == (1, "two")
    assert config.schedule.epochs == 3
    assert config.schedule.learning_rate == 0.1
    assert config.schedule.boundaries == (7.0,)


def test_base_as_text_and_null_switches_a_section_off(write):
    write("base.yaml", "data: {augmentation: {rand_augment: {num_ops: 3}}}")
    path = write("a.yaml", "_base_: base.yaml\ndata: {augmentation: {rand_augment: null}}")
    assert load_config(path).data.augmentation.rand_augment is None
    on_again = load_config(path, ["data.augmentation.rand_augment.factor=0.1"]).data.augmentation.rand_augment
    assert (on_again.num_ops, on_again.factor) == (2, 0.1)


def test_the_same_base_twice_is_no_circle(write):
    write("root.yaml", "seed: 5")
    write("one.yaml", "_base_: root.yaml")
    write("two.yaml", "_base_: root.yaml\nname: two")
    config = load_config(write("a.yaml", "_base_: [one.yaml, two.yaml]"))
    assert (config.seed, config.name) == (5, "two")


def test_circle(write):
    write("b.yaml", "_base_: ./a.yaml")
    assert refusal(write("a.yaml", "_base_: b.yaml")) == ("b.yaml: _base_ goes in a circle: a.yaml -> b.yaml -> a.yaml")
    assert "circle: c.yaml -> c.yaml" in refusal(write("c.yaml", "_base_: c.yaml"))


def test_at_most_three_levels(write):
    write("4.yaml", "seed: 4")
    for level in (3, 2, 1, 0):
        write(f"{level}.yaml", f"_base_: {level + 1}.yaml")
    assert load_config("1.yaml").seed == 4
    assert refusal("0.yaml") == "3.yaml: _base_ goes more than 3 levels deep; merge some of the files"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training: {xyz: 3}", "a.yaml: unknown key training.xyz; known: training.deterministic, training.mixed_preci"),
        ("xyz: 3", "a.yaml: unknown key xyz; known: name, seed, output_dir, data, backbone, method, schedule, tr"),
        ("schedule: {epoch: 3}", "a.yaml: unknown key schedule.epoch; did you mean schedule.epochs?"),
        ("epochs: 3", "a.yaml: unknown key epochs; did you mean schedule.epochs?"),
        (
            "data: {augmentation: {rand_augment: {num_op: 3}}}",
            "a.yaml: unknown key data.augmentation.rand_augment.num_op; "
            "did you mean data.augmentation.rand_augment.num_ops?",
        ),
        (
            "schedule: {epochs: many}",
            'a.yaml: schedule.epochs: "many" is not allowed; it should be a valid integer '
            "(passes over the training split)",
        ),
        ("schedule: {epochs: 0, epoch: 1}", "a.yaml: unknown key schedule.epoch; did you mean schedule.epochs? (and 1"),
        (
            "schedule: {epochs: 0}",
            "a.yaml: schedule.epochs: 0 is not allowed; it should be greater than or equal to 1",
        ),
        ("schedule: {optimizer: adm}", """schedule.optimizer: "adm" is not allowed; it should be 'adam', 'adamw' or"""),
        ("schedule:", "a.yaml: schedule: null is not allowed; it should be a section (key: value), or {} for none"),
        ("backbone: {options: [1]}", "a.yaml: backbone.options: [1] is not allowed; it should be a section"),
        ("data: {image_size: 48}", "a.yaml: data.image_size: 48 is not allowed; it should be a list"),
        ("data: {image_size: [48]}", "a.yaml: data.image_size: [48] has the wrong length ([height, width]"),
        ("data: {image_size: [1, 2, 3]}", "a.yaml: data.image_size: [1, 2, 3] has the wrong length"),
        ("data: {image_size: [48, big]}", 'a.yaml: data.image_size[1]: "big" is not allowed; it should be a valid int'),
        ("name: a/b", 'a.yaml: name: "a/b" is not allowed; it should be letters, digits,'),
        ("schedule: {decay: piecewise}", "a.yaml: schedule: boundaries should name at least one epoch"),
        (
            "data: {validation_split: null}\ntraining: {early_stopping: 2}",
            "a.yaml: training.early_stopping needs a data.validation_split",
        ),
        (
            "training: {jit_compile: true}",
            "a.yaml: training: jit_compile: Keras does not use XLA under deterministic ops; set deterministic: false",
        ),
        ("- 1\n- 2", "a.yaml: should hold keys and values (key: value), not [1, 2]"),
        ("seed: 1\nseed: 2", "a.yaml: line 2, column 1: the key 'seed' stands here twice"),
        ("_base_: [1]", "a.yaml: _base_ should be a path or a list of paths"),
        ("_base_: {a: b}", "a.yaml: _base_ should be a path or a list of paths"),
        ("_base_: gone.yaml", "gone.yaml: no such file (named in _base_ of a.yaml)"),
        ("output_dir: " + "3" * 90, "output_dir: " + "3" * 57 + "... is not allowed; it should be a valid string"),
    ],
    ids=str,
)
def test_mistakes_in_a_file(write, text, message):
    assert message in refusal(write("a.yaml", text))


def test_the_mistake_is_blamed_on_the_file_it_stands_in(write):
    write("bases/b.yaml", "schedule: {epochs: 0}")
    path = write("a.yaml", "_base_: bases/b.yaml\nschedule: {learning_rate: 0.1}")
    assert refusal(path).startswith("bases/b.yaml: schedule.epochs: 0")
    assert refusal(path, "schedule.epochs=-1").startswith("--set schedule.epochs=-1: schedule.epochs: -1")
    assert load_config(path, ["schedule.epochs=2"]).schedule.epochs == 2


def test_files_that_cannot_be_read(write, tmp_path):
    assert refusal("gone.yaml") == "gone.yaml: no such file"
    assert refusal(".") == ".: Is a directory"
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9t\xe9")
    assert refusal("latin.yaml") == "latin.yaml: not a text file in UTF-8"


def test_overrides(write):
    path = write("a.yaml", "method: {name: ldlva, k: 8}")
    overrides = [
        "schedule.epochs=3",
        "method.k=4",
        "schedule.learning_rate=1e-4",
        "data.validation_split=null",
        "data.image_size=[64, 32]",
        "training.deterministic=false",
        "schedule.epochs=5",
        "output_dir=a=b",
    ]
    config = load_config(path, overrides)
    assert config.method.arguments == {"k": 4}
    assert (config.schedule.epochs, config.schedule.learning_rate) == (5, 1e-4)
    assert config.data.validation_split is None
    assert config.data.image_size == (64, 32)
    assert config.training.deterministic is False
    assert config.output_dir == "a=b"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("epochs", "--set epochs: should be key=value, for example schedule.epochs=3"),
        ("=3", "--set =3: should be key=value, for example schedule.epochs=3"),
        ("schedule..epochs=3", "should be key=value"),
        ("schedule.epoch=3", "--set schedule.epoch=3: unknown key schedule.epoch; did you mean schedule.epochs?"),
        ("seed=[1", "--set seed=[1: the value is not YAML (line 1, column 3: "),
        ("seed.x=1", '--set seed.x=1: seed: {"x": 1} is not allowed; it should be a valid integer'),
        ("schedule.boundaries.0=1", "schedule.boundaries: "),
        ("_base_=x.yaml", "--set _base_=x.yaml: unknown key _base_"),
    ],
)
def test_mistakes_in_an_override(write, override, message):
    assert message in refusal(write("a.yaml", "seed: 1"), override)


positive = st.floats(1e-12, 1e6)
text = st.text(min_size=1, max_size=12)
free_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
free_keys = st.dictionaries(text.filter(lambda key: key != "name"), free_values, max_size=4)


@st.composite
def configs(draw) -> Config:
    splits = draw(st.lists(text, min_size=3, max_size=3, unique=True))
    area = sorted(draw(st.tuples(st.floats(0.001, 1), st.floats(0.001, 1))))
    boundaries = sorted(draw(st.sets(st.floats(0.5, 500), max_size=4)))
    return Config.model_validate(
        {
            "name": draw(st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,20}\Z")),
            "seed": draw(st.integers(0, 2**31 - 1)),
            "output_dir": draw(text),
            "data": {
                "directory": draw(text),
                "train_split": splits[0],
                "validation_split": draw(st.sampled_from([None, splits[1]])),
                "test_split": draw(st.sampled_from([None, splits[2]])),
                "image_size": draw(st.lists(st.integers(8, 2048), min_size=2, max_size=2)),
                "neighbors": draw(st.none() | text),
                "noisy_labels": draw(st.none() | text),
                "augmentation": {
                    "random_erasing": {"area": area, "probability": draw(st.floats(0, 1))},
                    "rand_augment": draw(st.sampled_from([None, {"num_ops": 3}])),
                },
            },
            "backbone": {"options": draw(free_keys)},
            "method": {"name": draw(text), **draw(free_keys)},
            "schedule": {
                "epochs": draw(st.integers(1, 1000)),
                "learning_rate": draw(positive),
                "boundaries": boundaries,
                "clip_norm": draw(st.none() | positive),
            },
            "training": {"ema": draw(st.none() | st.floats(0.001, 0.9999)), "mixed_precision": draw(st.booleans())},
        }
    )


@settings(deadline=None)
@given(configs())
def test_a_dumped_configuration_loads_as_the_same(tmp_path_factory, config):
    file = tmp_path_factory.getbasetemp() / "dumped.yaml"
    file.write_text(dump_config(config), encoding="utf-8")
    loaded = load_config(file)
    assert loaded == config
    assert dump_config(loaded) == dump_config(config)


def test_the_dump_spells_out_every_key(write):
    dumped = dump_config(Config())
    for line in ("seed: 0", "  image_size: [48, 48]", "    rand_augment: null", "  early_stopping: null"):
        assert line in dumped.splitlines()


def test_importing_the_configuration_is_light():
    code = "import sys, fer_keras.config; print(sorted({'tensorflow', 'keras', 'numpy', 'typer'} & set(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output == "[]\n"


@pytest.mark.parametrize("name", ["errors", "schema", "loading", "yaml_text"])
def test_docstring_examples(name, monkeypatch):
    import doctest
    import importlib

    monkeypatch.chdir(Path(__file__).parents[3])
    result = doctest.testmod(importlib.import_module(f"fer_keras.config.{name}"))
    assert result.attempted > 0 and result.failed == 0
