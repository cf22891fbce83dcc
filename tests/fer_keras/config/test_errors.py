import pytest

from fer_keras.config import ConfigError, suggest
from fer_keras.config.schema import section_keys


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("schedule.epoch", "schedule.epochs"),
        ("schedule.learning_rte", "schedule.learning_rate"),
        ("epochs", "schedule.epochs"),
        ("training.epochs", "schedule.epochs"),
        ("data.augmentation.random_erasing.prob", "data.augmentation.random_erasing.probability"),
        ("Seed", "seed"),
        ("training.jit", "training.jit_compile"),
    ],
)
def test_nearest_key(key, meant):
    assert suggest(key, section_keys()) == f"; did you mean {meant}?"


def test_a_sibling_wins_over_an_equal_name_elsewhere():
    assert suggest("b.rate", ["a.rate", "b.rates"]) == "; did you mean b.rates?"


def test_nothing_near_or_known():
    assert suggest("b.xyz", ["a.one", "b.two", "b.three"]) == ""
    assert suggest("xyz", []) == ""


def test_case_does_not_matter_and_any_iterable_will_do():
    assert suggest("LDLAV", iter(["LDLVA", "LDLVA"])) == "; did you mean LDLVA?"


def test_is_a_value_error():
    assert issubclass(ConfigError, ValueError)
