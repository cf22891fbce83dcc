"""add-noise, add-valence-arousal and add-neighbors: from the command line to the sidecar."""

import hashlib

import numpy as np
import pytest

from fer_keras.data.records import RecordSet, read_columns
from fer_keras.data.sidecars import read_sidecar, read_stamp, write_sidecar
from fer_keras.data.transition import default_transition
from fer_keras.emotions import EMOTIONS


def true_labels(record_set):
    return read_columns(record_set, "train", ["label"])["label"]


def test_symmetric_noise(tool, own_set):
    result = tool("add-noise", own_set, "--rate", 0.25, "--seed", 3)
    assert result.code == 0, result.err
    assert "flipped 8 of 32 labels: measured rate 0.2500" in result.out
    record_set = RecordSet.load(own_set)
    noisy = read_sidecar(record_set, "train", "noisy_labels-symmetric-0.25-seed3")
    assert noisy.dtype == np.int64
    assert (noisy != true_labels(record_set)).sum() == 8
    stamp = read_stamp(record_set, "train", "noisy_labels-symmetric-0.25-seed3")
    assert (stamp["kind"], stamp["rate"], stamp["seed"], stamp["measured_rate"]) == ("symmetric", 0.25, 3, 0.25)
    assert np.sum(stamp["flips"]) == 32


def test_class_dependent_noise(tool, own_set):
    assert tool("add-noise", own_set, "--kind", "class-dependent", "--rate", 1).code == 0
    record_set = RecordSet.load(own_set)
    noisy = read_sidecar(record_set, "train", "noisy_labels-class-dependent-1-seed0")
    partner = default_transition(EMOTIONS).argmax(axis=1)
    np.testing.assert_array_equal(noisy, partner[true_labels(record_set)])


def test_noise_from_a_matrix_names_the_sidecar_after_the_file(tool, own_set, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("fear: {surprise: 0.5}\nanger: {disgust: 1}\n")
    result = tool("add-noise", own_set, "--transition", file)
    assert result.code == 0, result.err
    # 4 samples a class: 2 of fear and 4 of anger, of 32 in all.
    noisy = read_sidecar(RecordSet.load(own_set), "train", "noisy_labels-mine-0.188-seed0")
    labels = true_labels(RecordSet.load(own_set))
    assert (noisy[labels == EMOTIONS.index("anger")] == EMOTIONS.index("disgust")).all()
    assert (noisy != labels).sum() == 6


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["add-noise"], 2, "--rate"),
        (["add-noise", "--rate", "1.5"], 1, "error: noise rate 1.5 is outside [0, 1]"),
        (["add-noise", "--rate", "0.3", "--split", "dev"], 1, "no split 'dev'; it has: train, validation, test"),
        (["add-valence-arousal", "--source", "probabilities"], 2, "needs --probabilities"),
        (["add-valence-arousal", "--source", "records", "--probabilities", "x"], 2, "reads no file"),
        (["add-valence-arousal", "--source", "probabilities", "--probabilities", "no.csv"], 1, "no.csv: No such file"),
        (["add-valence-arousal", "--source", "records", "--name", "../up"], 2, "a name, not a path"),
        (["add-valence-arousal"], 2, "give --source, or --model"),
        (["add-valence-arousal", "--source", "model"], 2, "--source model needs --model"),
        (["add-valence-arousal", "--source", "records", "--model", "x"], 2, "--source records runs no model"),
        (["add-valence-arousal", "--model", "x", "--probabilities", "y"], 2, "--source model reads no file"),
        (["add-valence-arousal", "--model", "none.keras"], 1, "none.keras: no such file or folder"),
        (["add-valence-arousal", "--model", "none.keras", "--split", "dev"], 1, "no split 'dev'"),
        (["add-neighbors", "--valence-arousal", "none"], 1, "valence_arousal-none.npy: no such sidecar"),
        (["add-neighbors", "--valence-arousal", "none", "--k", "33"], 2, "--k"),
        (["add-neighbors"], 2, "give one of --valence-arousal and --features"),
        (["add-neighbors", "--valence-arousal", "a", "--features", "b"], 2, "give one of"),
        (["add-neighbors", "--features", "none"], 1, "none.npy: no such sidecar"),
        (["add-label-sources", "--name", "two"], 2, "give at least one --source or --model"),
        (["add-label-sources", "--name", "two", "--model", "no/run"], 1, "no/run"),
        (["add-label-sources", "--name", "../up", "--source", "records"], 2, "a name, not a path"),
        (["add-label-sources", "--name", "two", "--source", "none"], 1, "none.npy: no such sidecar"),
    ],
)
def test_mistakes(tool, own_set, arguments, code, message):
    command, *rest = arguments
    result = tool(command, own_set, *rest)
    assert result.code == code
    assert message in result.err
    assert "Traceback" not in result.err


def test_from_records_to_neighbors_with_noisy_labels(tool, own_set):
    assert "32 samples placed, 0 without" in tool("add-valence-arousal", own_set, "--source", "records").out
    tool("add-noise", own_set, "--rate", 0.5)
    noisy = "noisy_labels-symmetric-0.5-seed0"
    result = tool("add-neighbors", own_set, "--valence-arousal", "records", "--k", 3, "--labels", noisy)
    assert result.code == 0, result.err
    # The tiny set's positions lie close around their emotion, so that the true label is almost always shared.
    assert "warning" not in result.err
    record_set = RecordSet.load(own_set)
    neighbors = read_sidecar(record_set, "train", "neighbors-records-k3")
    differences = read_sidecar(record_set, "train", "neighbor_differences-records-k3")
    positions = read_sidecar(record_set, "train", "valence_arousal-records")
    assert neighbors.shape == (32, 3) and neighbors.dtype == np.int32
    np.testing.assert_allclose(differences, positions[neighbors] - positions[:, None], atol=1e-7)
    agreement = read_stamp(record_set, "train", "neighbors-records-k3")["agreement"]
    labels = true_labels(record_set)
    assert agreement["true"]["rate"] == pytest.approx((labels[neighbors] == labels[:, None]).mean())
    given = read_sidecar(record_set, "train", noisy)
    assert agreement["given"]["rate"] == pytest.approx((given[neighbors] == given[:, None]).mean())
    assert agreement["true"]["chance"] == pytest.approx(3 / 31)


def test_neighbors_at_chance_level_are_a_warning(tool, own_set):
    record_set = RecordSet.load(own_set)
    # Every sample sits beside one of the next class: no neighbour shares its label.
    order = np.arange(32, dtype=np.float32)
    positions = np.stack([order // 2 / 16, order % 2 / 1000], axis=1)
    write_sidecar(record_set, "train", "valence_arousal-random", positions)
    result = tool("add-neighbors", own_set, "--valence-arousal", "valence_arousal-random", "--k", 1)
    assert result.code == 0
    assert "warning: neighbours carry almost no information" in result.err


def test_probabilities_of_a_model_for_some_of_the_samples(tool, own_set, tmp_path):
    sources = read_columns(RecordSet.load(own_set), "train", ["source"])["source"]
    file = tmp_path / "model.csv"
    lines = [f"{source.decode()},0.5,0.5" for source in sources[:30]]
    file.write_text("\n".join(["source,neutral,happiness", *lines]) + "\n")
    result = tool("add-valence-arousal", own_set, "--source", "probabilities", "--probabilities", file)
    assert "30 samples placed, 2 without a position" in result.out
    result = tool("add-neighbors", own_set, "--valence-arousal", "model", "--k", 2)
    assert "2 samples have no neighbours" in result.out
    neighbors = read_sidecar(RecordSet.load(own_set), "train", "neighbors-model-k2")
    assert neighbors[0].tolist() == [1, 2] and neighbors[31].tolist() == [31, 31]


def test_a_teacher_keeps_its_stamp(tool, own_set):
    record_set = RecordSet.load(own_set)
    probabilities = np.eye(8, dtype=np.float32)[true_labels(record_set)]
    write_sidecar(record_set, "train", "teacher_probs-folds5", probabilities, folds=5)
    result = tool("add-valence-arousal", own_set, "--source", "teacher", "--probabilities", "teacher_probs-folds5")
    assert result.code == 0, result.err
    assert read_stamp(record_set, "train", "valence_arousal-teacher-folds5")["teacher"]["folds"] == 5


def test_neighbors_by_features_of_any_kind(tool, own_set):
    record_set = RecordSet.load(own_set)
    labels = true_labels(record_set)
    landmarks = np.random.default_rng(0).normal(size=(8, 5, 2))[labels] + np.arange(32)[:, None, None]
    landmarks[3] = np.nan
    write_sidecar(record_set, "train", "landmarks", landmarks.astype("float32"))
    result = tool("add-neighbors", own_set, "--features", "landmarks", "--k", 3)
    assert result.code == 0, result.err
    assert "1 samples have no neighbours" in result.out and "warning" not in result.err
    neighbors = read_sidecar(record_set, "train", "neighbors-landmarks-k3")
    distances = read_sidecar(record_set, "train", "neighbor_differences-landmarks-k3")
    assert distances.shape == (32, 3, 1)
    np.testing.assert_array_equal(labels[neighbors][4:8], np.repeat(labels[4:8, None], 3, 1))
    assert read_stamp(record_set, "train", "neighbors-landmarks-k3")["features"] == "landmarks"


def test_label_sources_side_by_side(tool, own_set):
    tool("add-noise", own_set, "--rate", 0.25)
    noisy = "noisy_labels-symmetric-0.25-seed0"
    result = tool("add-label-sources", own_set, "--name", "two", "--source", "records", "--source", noisy)
    assert result.code == 0, result.err
    assert "75.0%" in result.out
    record_set = RecordSet.load(own_set)
    found = read_sidecar(record_set, "train", "label_sources-two")
    np.testing.assert_array_equal(found[:, 0], true_labels(record_set))
    np.testing.assert_array_equal(found[:, 1], read_sidecar(record_set, "train", noisy))
    assert read_stamp(record_set, "train", "label_sources-two")["sources"] == ["records", noisy]


@pytest.fixture
def stored_model(tmp_path):
    """A function (method) -> a stored, untrained model of that method and its file."""
    import keras

    from fer_keras import methods
    from fer_keras.backbones import build_backbone

    def store(method):
        keras.utils.set_random_seed(0)
        backbone = build_backbone("fer_mini", (16, 16), widths=[4, 6], blocks=[1, 1])
        model = methods.get(method)(backbone, EMOTIONS[:7])
        model.save(tmp_path / f"{method}.keras")
        return model, tmp_path / f"{method}.keras"

    return store


def predictions(model, record_set):
    from fer_keras.data.pipeline import evaluation_dataset

    (batch,) = [x["image"] for x, _ in evaluation_dataset(record_set, "train", (16, 16), 64)]
    return {name: np.asarray(values) for name, values in model.forward(batch).items()}


def test_the_values_of_a_model_with_a_head(tool, own_set, stored_model):
    model, file = stored_model("valence_arousal")
    result = tool("add-valence-arousal", own_set, "--model", file, "--batch-size", 5)
    assert result.code == 0, result.err
    assert "positions from its valence-arousal head" in result.out and "32 samples placed, 0 without" in result.out
    assert "warning" not in result.err
    record_set = RecordSet.load(own_set)
    positions = read_sidecar(record_set, "train", "valence_arousal-valence_arousal")
    assert positions.dtype == np.float32 and positions.shape == (32, 2)
    np.testing.assert_allclose(positions, predictions(model, record_set)["valence_arousal"], atol=1e-5)
    stamp = read_stamp(record_set, "train", "valence_arousal-valence_arousal")
    assert stamp["source"] == "model" and stamp["values"] == "its valence-arousal head"
    assert stamp["model"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (stamp["model"]["file"], stamp["missing"]) == ("valence_arousal.keras", 0)


def test_a_model_of_expressions_is_placed_by_its_probabilities(tool, own_set, stored_model):
    from fer_keras.data.valence_arousal import circumplex_position

    model, file = stored_model("cross_entropy")
    result = tool("add-valence-arousal", own_set, "--source", "model", "--model", file, "--name", "pseudo")
    assert result.code == 0, result.err
    assert "positions from its class probabilities, placed on the circumplex" in result.out
    record_set = RecordSet.load(own_set)
    positions = read_sidecar(record_set, "train", "valence_arousal-pseudo")
    expected = circumplex_position(predictions(model, record_set)["probs"], EMOTIONS[:7])
    np.testing.assert_allclose(positions, expected, atol=1e-5)
    assert "circumplex" in read_stamp(record_set, "train", "valence_arousal-pseudo")["values"]


def test_a_model_of_these_very_samples_is_a_warning(tool, own_set, stored_model, tmp_path):
    from fer_keras.config import Config, dump_config
    from fer_keras.files import write_json

    model, _ = stored_model("valence_arousal")
    run = tmp_path / "runs" / "own"
    (run / "weights").mkdir(parents=True)
    model.save(run / "weights" / "best.keras")
    (run / "config.yaml").write_text(dump_config(Config(name="own")))
    fingerprint = RecordSet.load(own_set).split("train").fingerprint
    write_json(run / "metrics.json", {"fingerprint": {"train": fingerprint}})
    result = tool("add-valence-arousal", own_set, "--model", run)
    assert result.code == 0 and "warning: this model was trained on these very samples" in result.err
    other = tool("add-valence-arousal", own_set, "--model", run, "--split", "test")
    assert other.code == 0 and "warning" not in other.err
    assert read_stamp(RecordSet.load(own_set), "test", "valence_arousal-own")["model"]["trained_on"] == fingerprint


def test_a_labelled_subset_leaves_twins_out(run_tool, tmp_path, make_face):
    from PIL import Image

    folder = tmp_path / "faces"
    for label, name in enumerate(("neutral", "happiness")):
        (folder / "train" / name).mkdir(parents=True)
        for index in range(6):
            same = 0 if index < 3 else index  # the first three show the same
            Image.fromarray(make_face(label, same)).save(folder / "train" / name / f"{index}.png")
    assert run_tool("folder", folder, "--out", tmp_path / "set").returncode == 0
    done = run_tool("add-labelled-subset", tmp_path / "set", "--labels-per-class", 4, "--seed", 2)
    assert done.returncode == 0, done.stderr
    assert "left out 4 with the same pixels as a labelled image" in done.stdout
    record_set = RecordSet.load(tmp_path / "set")
    subset = read_sidecar(record_set, "train", "labelled-4_per_class-seed2")
    assert sorted(subset.tolist()) == [-1] * 4 + [1] * 8
    assert read_stamp(record_set, "train", "labelled-4_per_class-seed2")["labels_per_class"] == 4

    refused = run_tool("add-labelled-subset", tmp_path / "set", "--labels-per-class", 5)
    assert refused.returncode == 1
    assert "has 4 different images, 5 labels of it were asked for" in refused.stderr
    assert run_tool("add-labelled-subset", tmp_path / "set").returncode == 2
