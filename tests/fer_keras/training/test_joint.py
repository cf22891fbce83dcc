import json
import shutil

import numpy as np
import pytest

from fer_keras.config import ConfigError, dump_config, load_config
from fer_keras.data.records import RecordSet
from fer_keras.data.sidecars import SidecarError, read_sidecar, write_sidecar
from fer_keras.training import train
from fer_keras.training.inputs import build_inputs, second_pass, training_labels, training_records


@pytest.fixture
def second(ready_record_set, tmp_path):
    """Another record set: a copy of the first one in a folder of its own."""
    return str(shutil.copytree(ready_record_set, tmp_path / "second"))


def joint(second, **data) -> dict:
    source = {"directory": second, "validation_split": "validation", "test_split": "test"}
    return {"neighbors": None, "joint": [{**source, **data}]}


def test_learns_from_both_and_is_tested_on_each(make_config, second):
    data = joint(second, noisy_labels="noisy_labels-test", neighbors="neighbors-records-k3")
    config = make_config(data={**data, "neighbors": "neighbors-records-k3"}, schedule={"epochs": 1})
    run = train(config)
    stored = json.loads((run / "metrics.json").read_text())
    assert list(stored["splits"]) == ["validation", "test", "second-validation", "second-test"]
    assert stored["splits"]["test"] == stored["splits"]["second-test"]  # the same images
    for name in ("test", "second-test-last"):
        assert (run / f"evaluation-{name}" / "metrics.json").is_file()
    assert np.load(run / "uncertainties.npy").shape == (64,)
    assert stored["fingerprint"]["train"] == stored["fingerprint"]["second-train"]


def test_labels_and_neighbours_of_each_set(make_config, second, ready_record_set):
    data = joint(second, noisy_labels="noisy_labels-test", neighbors="neighbors-records-k3")
    config = make_config(data={**data, "neighbors": "neighbors-records-k3"}, method={"name": "ldlva"})
    record_set = RecordSet.load(ready_record_set)
    noisy = np.asarray(read_sidecar(record_set, "train", "noisy_labels-test"))
    labels = training_labels(config.data)
    np.testing.assert_array_equal(labels[32:], noisy)
    assert (labels[:32] != noisy).sum() == 8
    assert training_records(config.data).split("train").num_examples == 64
    inputs = build_inputs(config)
    assert inputs.steps_per_epoch == 8
    ids = np.asarray(read_sidecar(record_set, "train", "neighbors-records-k3"))
    for x, y in inputs.training.take(8):
        sample, offset = x["sample_id"].numpy(), x["sample_id"].numpy() // 32 * 32
        np.testing.assert_array_equal(y["label"], labels[sample])
        np.testing.assert_array_equal(x["neighbor_ids"], ids[sample - offset] + offset[:, None])
        np.testing.assert_array_equal(x["neighbor_labels"], labels[x["neighbor_ids"]])
    assert sum(len(y["label"]) for _, y in inputs.validation) == 32


def test_every_set_can_be_a_source_of_labels(make_config, second):
    method = {"name": "latent_truth", "source_weights": [1.0, 1.0]}
    config = make_config(data={**joint(second), "label_sources": "by_set"}, method=method)
    for x, y in build_inputs(config).training.take(8):
        first = x["sample_id"].numpy() < 32
        sources = y["source_labels"].numpy()
        np.testing.assert_array_equal(
            sources[first], np.stack([y["label"].numpy()[first], np.full(first.sum(), -1)], 1)
        )
        np.testing.assert_array_equal(sources[~first][:, 1], y["label"].numpy()[~first])
    named = make_config(data={**joint(second), "label_sources": "label_sources-two"}, method=method)
    with pytest.raises(SidecarError, match="a sidecar for every record set"):
        build_inputs(named)


def test_candidates_of_each_set(make_config, second):
    method = {"name": "votes", "scheme": "average"}
    own = np.random.default_rng(0).dirichlet(np.ones(8), 32).astype("float32")
    write_sidecar(RecordSet.load(second), "train", "candidates-own", own)
    data = {**joint(second, candidates="candidates-own"), "candidates": "candidates-test"}
    config = make_config(data=data, method=method)
    first = np.asarray(read_sidecar(RecordSet.load(config.data.directory), "train", "candidates-test"))
    expected = np.concatenate([first, own])
    for x, y in build_inputs(config).training.take(8):
        np.testing.assert_array_equal(y["candidates"], expected[x["sample_id"].numpy()])


def test_a_set_may_be_tested_on_only(make_config, second):
    config = make_config(data=joint(second, train_split=None, validation_split=None), schedule={"epochs": 1})
    assert training_records(config.data).split("train").num_examples == 32
    run = train(make_config(method={"name": "cross_entropy"}, data=config.data.model_dump(), schedule={"epochs": 1}))
    stored = json.loads((run / "metrics.json").read_text())
    assert list(stored["splits"]) == ["validation", "test", "second-test"]
    assert list(stored["fingerprint"]) == ["train", "validation", "test", "second-test"]


def test_the_second_pass_reads_both(make_config, second):
    config = make_config(data=joint(second), method={"name": "ada_df"}, schedule={"epochs": 1})
    batches, _ = second_pass(config, "clean")
    assert sorted(np.concatenate([x["sample_id"] for x, _ in batches])) == list(range(64))


def test_a_list_under_data_is_the_same(make_config, second, tmp_path):
    config = make_config(data=joint(second))
    content = json.loads(json.dumps(config.model_dump()))
    others = content["data"].pop("joint")
    file = tmp_path / "list.yaml"
    file.write_text(json.dumps({**content, "data": [content["data"], *others]}))
    assert load_config(file) == config
    file.write_text(dump_config(config))
    assert load_config(file, ["data.batch_size=4"]).data.joint == config.data.joint


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"neighbors": "n-k3"}, "every record set that is learnt from should have neighbors"),
        ({"candidates": "candidates-test"}, "every record set that is learnt from should have candidates"),
        ({"batch_size": 3}, r"unknown key data.joint\[0\].batch_size"),
        ({"directory": 3}, r"data.joint\[0\].directory"),
    ],
)
def test_mistakes_are_named(make_config, second, tmp_path, source, message):
    file = tmp_path / "config.yaml"
    content = json.loads(json.dumps(make_config(data=joint(second)).model_dump()))
    content["data"]["joint"][0] |= source
    file.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match=message):
        load_config(file)


def test_two_folders_of_one_name_are_refused(make_config, second, tmp_path):
    file = tmp_path / "config.yaml"
    content = json.loads(json.dumps(make_config(data=joint(second)).model_dump()))
    content["data"]["joint"] *= 2
    file.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="folders should have different names, not second, second"):
        load_config(file)
