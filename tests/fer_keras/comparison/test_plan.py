import pytest

from fer_keras.comparison.plan import ComparisonError, plan
from fer_keras.config import ConfigError


def test_has_whole_seeds_first(experiments, tmp_path):
    cells = plan(experiments("cross_entropy", "scn"), [3, 1], tmp_path / "out")
    assert [cell.name for cell in cells] == [
        "cross_entropy seed 3", "scn seed 3", "cross_entropy seed 1", "scn seed 1",
    ]  # fmt: skip
    assert [cell.config.seed for cell in cells] == [3, 3, 1, 1]
    assert cells[1].folder == tmp_path / "out" / "runs" / "scn" / "seed3"


def test_overrides_hold_for_all_and_may_name_the_seed(experiments, tmp_path):
    overrides = ["schedule.epochs=7", "data.noisy_labels=noise-seed{seed}"]
    cells = plan(experiments("cross_entropy", "scn"), [0, 1], tmp_path, overrides)
    assert {cell.config.schedule.epochs for cell in cells} == {7}
    assert [cell.config.data.noisy_labels for cell in cells] == ["noise-seed0"] * 2 + ["noise-seed1"] * 2


def test_experiments_with_the_same_method_are_called_by_their_names(experiments, tmp_path):
    cells = plan(experiments("scn", "scn", "rul"), [0], tmp_path)
    assert [cell.label for cell in cells] == ["scn0", "scn1", "rul"]


def test_a_method_may_have_its_own_inputs(experiments, tmp_path):
    plain = experiments("cross_entropy")
    with_neighbors = experiments("ldlva", data={"test_split": "test", "neighbors": "neighbors-k8"})
    with_candidates = experiments("votes", data={"test_split": "test", "candidates": "candidates-mass"})
    assert len(plan([*plain, *with_neighbors, *with_candidates], [0], tmp_path)) == 3


def test_refuses_other_differences_unless_they_are_meant(experiments, tmp_path):
    files = [*experiments("cross_entropy"), *experiments("scn", schedule={"epochs": 3})]
    with pytest.raises(ComparisonError, match=r"schedule.epochs is 2 for cross_entropy and 3 for scn; .*--differing"):
        plan(files, [0], tmp_path)
    assert len(plan(files, [0], tmp_path, differing=["schedule.epochs"])) == 2
    assert len(plan(files, [0], tmp_path, differing=["schedule"])) == 2
    assert len(plan(files, [0], tmp_path, overrides=["schedule.epochs=1"])) == 2


@pytest.mark.parametrize(
    ("count", "seeds", "message"), [(0, [0], "at least one"), (1, [], "at least one"), (1, [2, 2], "each once")]
)
def test_refuses_nothing_and_repetitions(experiments, tmp_path, count, seeds, message):
    with pytest.raises(ComparisonError, match=message):
        plan(experiments("scn")[:count], seeds, tmp_path)


def test_refuses_the_same_file_twice(experiments, tmp_path):
    with pytest.raises(ComparisonError, match="two experiments are called 'scn0'"):
        plan(experiments("scn") * 2, [0], tmp_path)


def test_a_wrong_override_is_named(experiments, tmp_path):
    with pytest.raises(ConfigError, match=r"schedule\.epoch"):
        plan(experiments("scn"), [0], tmp_path, overrides=["schedule.epoch=3"])
