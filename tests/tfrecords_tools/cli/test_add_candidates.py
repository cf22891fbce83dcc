"""add-candidates: from the command line to the sidecar."""

import numpy as np
import pytest

from fer_keras.data import candidates as sets
from fer_keras.data.records import RecordSet, read_columns
from fer_keras.data.sidecars import read_sidecar, read_stamp, write_sidecar
from fer_keras.emotions import EMOTIONS


@pytest.fixture
def columns(own_set):
    return read_columns(RecordSet.load(own_set), "train", ["label", "votes"])


def stored(own_set, name):
    record_set = RecordSet.load(own_set)
    return read_sidecar(record_set, "train", f"candidates-{name}"), read_stamp(
        record_set, "train", f"candidates-{name}"
    )


@pytest.mark.parametrize("rule", list(sets.VOTE_RULES))
def test_rules_for_votes(tool, own_set, columns, rule):
    result = tool("add-candidates", own_set, "--rule", rule, "--min-votes", 1)
    assert result.code == 0, result.err
    found, stamp = stored(own_set, rule)
    expected = sets.vote_candidates(columns["votes"], columns["label"], rule, min_votes=1)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32 and found.shape == (32, 8)
    assert (stamp["rule"], stamp["labels"], stamp["min_votes"]) == (rule, None, 1)
    assert f"mean {(expected > 0).sum(1).mean():.2f}" in result.out


def test_options_reach_the_rule(tool, own_set, columns):
    arguments = ["--threshold", 0.5, "--max-candidates", 2, "--min-share", 0.2, "--equal", "--name", "mine"]
    assert tool("add-candidates", own_set, "--rule", "mass", *arguments).code == 0
    expected = sets.vote_candidates(
        columns["votes"], columns["label"], "mass", threshold=0.5, max_candidates=2, min_share=0.2, uniform=True
    )
    np.testing.assert_array_equal(stored(own_set, "mine")[0], expected)


def test_uniform_is_repeatable_and_may_start_from_other_labels(tool, own_set, columns):
    assert tool("add-candidates", own_set, "--rule", "uniform", "--rate", 0.3, "--seed", 5).code == 0
    found, stamp = stored(own_set, "uniform-0.3-seed5")
    expected = sets.synthetic_candidates(columns["label"], sets.uniform_ambiguity(8, 0.3), 5)
    np.testing.assert_array_equal(found, expected)
    assert stamp["labels"] is None
    assert tool("add-noise", own_set, "--rate", 0.5).code == 0
    noisy = "noisy_labels-symmetric-0.5-seed0"
    result = tool("add-candidates", own_set, "--rule", "uniform", "--rate", 0, "--labels", noisy, "--name", "noisy")
    assert result.code == 0, result.err
    found, stamp = stored(own_set, "noisy")
    np.testing.assert_array_equal(found.argmax(1), read_sidecar(RecordSet.load(own_set), "train", noisy))
    assert stamp["labels"] == noisy


@pytest.mark.parametrize("kind", ["csv", "npy", "sidecar"])
def test_class_dependent_from_a_file_or_a_teacher(tool, own_set, columns, tmp_path, kind):
    if kind == "sidecar":
        probs = np.random.default_rng(0).dirichlet(np.ones(8), 32).astype("float32")
        write_sidecar(RecordSet.load(own_set), "train", "teacher_probs-folds", probs)
        confusion, arguments = sets.confusion_of(columns["label"], probs), ["--probabilities", "teacher_probs-folds"]
    elif kind == "npy":
        confusion = np.full((8, 8), 0.04) + np.diag([0.68] * 8)
        np.save(tmp_path / "c.npy", confusion)
        arguments = ["--confusion", tmp_path / "c.npy"]
    else:
        confusion = np.eye(8)
        row = EMOTIONS.index("fear")
        confusion[row] = 0
        confusion[row, EMOTIONS.index("surprise")] = confusion[row, row] = 0.5
        (tmp_path / "c.csv").write_text("true,fear,surprise\nfear,0.5,0.5\n")
        arguments = ["--confusion", tmp_path / "c.csv"]
    result = tool("add-candidates", own_set, "--rule", "class-dependent", "--rate", 2, *arguments)
    assert result.code == 0, result.err
    expected = sets.synthetic_candidates(columns["label"], sets.confused_ambiguity(confusion, 2), 0)
    np.testing.assert_array_equal(stored(own_set, "class-dependent-2-seed0")[0], expected)
    assert (expected > 0).sum() > 32


def test_model_made_from_a_sidecar(tool, own_set, columns):
    probs = np.random.default_rng(0).dirichlet(np.full(8, 0.3), 32).astype("float32")
    write_sidecar(RecordSet.load(own_set), "train", "teacher_probs-folds", probs)
    result = tool("add-candidates", own_set, "--rule", "model", "--probabilities", "teacher_probs-folds")
    assert result.code == 0, result.err
    assert "the label is among them for 100.0% of the labelled samples" in result.out
    found, stamp = stored(own_set, "model-folds")
    np.testing.assert_array_equal(found, sets.model_candidates(columns["label"], probs))
    assert (stamp["probabilities"], stamp["mass"], stamp["max_candidates"]) == ("teacher_probs-folds", 0.9, 3)


def test_model_made_by_running_one(tool, own_set, columns, tmp_path):
    import keras

    from fer_keras import methods
    from fer_keras.backbones import build_backbone
    from fer_keras.data.pipeline import evaluation_dataset

    keras.utils.set_random_seed(0)
    model = methods.CrossEntropy(build_backbone("fer_mini", (16, 16), widths=[4, 6], blocks=[1, 1]), EMOTIONS[:7])
    model.save(tmp_path / "seven.keras")
    result = tool("add-candidates", own_set, "--rule", "model", "--model", tmp_path / "seven.keras", "--name", "run")
    assert result.code == 0, result.err
    images = next(iter(evaluation_dataset(RecordSet.load(own_set), "train", (16, 16), 32)))[0]["image"]
    probs = np.concatenate([model.predict(images, verbose=0), np.zeros((32, 1))], axis=1)
    found, stamp = stored(own_set, "run")
    np.testing.assert_array_equal(found, sets.model_candidates(columns["label"], probs))
    assert stamp["model"]["name"] == "seven"


def test_shares_are_told_from_votes(tool, tiny_csv, tmp_path):
    """A table whose votes are shares of the annotators, as RAF-DB's importer makes them."""
    lines = tiny_csv.read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    shares = [[*row[:5], *(f"{float(vote) / 10:.2f}" for vote in row[5:])] for row in rows]
    table = tiny_csv.parent / "shares.csv"
    table.write_text("\n".join([lines[0], *(",".join(row) for row in shares)]) + "\n")
    assert tool("csv", table, "--out", tmp_path / "shares").code == 0
    table.unlink()
    plain = tool("add-candidates", tmp_path / "shares", "--rule", "positive")
    assert "drop rare classes with --min-share 0.05" in plain.out
    assert "mean 1.00" not in plain.out  # not everything is dropped as single votes
    strict = tool("add-candidates", tmp_path / "shares", "--rule", "positive", "--min-share", 0.15, "--name", "strict")
    assert strict.code == 0 and "--min-share" not in strict.out
    votes = np.array([[float(vote) for vote in row[5:]] for row in rows[:32]])
    found = stored(tmp_path / "shares", "strict")[0]
    np.testing.assert_array_equal(found > 0, votes >= 1.5)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--rule", "all"], 2, "--rule"),
        (["--rule", "uniform"], 2, "--rule uniform needs --rate"),
        (["--rule", "mass", "--rate", "0.1"], 2, "draws nothing at random"),
        (["--rule", "mass", "--labels", "x"], 2, "would give away the true labels"),
        (["--rule", "class-dependent", "--rate", "1"], 2, "give one of --confusion and --probabilities"),
        (["--rule", "model"], 2, "give one of --model and --probabilities"),
        (["--rule", "mass", "--confusion", "x.csv"], 2, "reads no confusions"),
        (["--rule", "mass", "--model", "x"], 2, "runs no model"),
        (["--rule", "mass", "--probabilities", "x"], 2, "reads no probabilities"),
        (["--rule", "mass", "--name", "../up"], 2, "a name, not a path"),
        (["--rule", "mass", "--threshold", "1.5"], 1, "threshold: 1.5; wanted a share"),
        (["--rule", "mass", "--split", "dev"], 1, "no split 'dev'"),
        (["--rule", "uniform", "--rate", "2"], 1, "rate: 2; wanted a probability"),
        (["--rule", "uniform", "--rate", "0.1", "--labels", "none"], 1, "none.npy: no such sidecar"),
        (["--rule", "model", "--probabilities", "none"], 1, "none.npy: no such sidecar"),
        (["--rule", "model", "--model", "no.keras"], 1, "no.keras: no such file"),
        (["--rule", "class-dependent", "--rate", "1", "--confusion", "no.csv"], 1, "no.csv"),
    ],
)
def test_mistakes(tool, own_set, arguments, code, message):
    result = tool("add-candidates", own_set, *arguments)
    assert result.code == code
    assert message in result.err
    assert "Traceback" not in result.err


def test_sets_without_votes_name_the_other_rules(tool, own_set, tmp_path, tiny_csv):
    lines = [",".join(line.split(",")[:3]) for line in tiny_csv.read_text().splitlines()]
    table = tiny_csv.parent / "bare.csv"
    table.write_text("\n".join(lines) + "\n")
    assert tool("csv", table, "--out", tmp_path / "bare").code == 0
    table.unlink()
    result = tool("add-candidates", tmp_path / "bare", "--rule", "mass")
    assert result.code == 1 and "not one sample has votes; use --rule uniform" in result.err
