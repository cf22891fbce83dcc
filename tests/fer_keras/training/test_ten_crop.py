import json

import numpy as np
import pytest

from fer_keras.config import ConfigError, dump_config, load_config
from fer_keras.data.pipeline import evaluation_dataset
from fer_keras.data.records import RecordSet
from fer_keras.inference.loading import load_as_judged, load_classifier
from fer_keras.inference.ten_crop_classifier import TenCropClassifier
from fer_keras.training import TrainingError, train
from fer_keras.training.trainer import build_method

DATA = {"neighbors": None, "ten_crop": [30, 30], "batch_size": 4}


def test_trains_on_crops_and_is_judged_by_them(make_config):
    run = train(make_config(method={"name": "ada_df"}, data=DATA, schedule={"epochs": 1}))
    classifier = load_as_judged(run)
    assert isinstance(classifier, TenCropClassifier)
    assert (classifier.image_size, load_classifier(run).image_size) == ((30, 30), (24, 24))
    record_set = RecordSet.load(load_config(run / "config.yaml").data.directory)
    x, y = next(iter(evaluation_dataset(record_set, "test", (30, 30), 16)))
    accuracy = np.mean(classifier.predict_proba(x["image"].numpy()).argmax(axis=1) == y["label"].numpy())
    stored = json.loads((run / "metrics.json").read_text())["splits"]["test"]["best"]
    assert stored["accuracy"] == pytest.approx(accuracy)


def test_ada_df_is_told_how_many_crops_there_are(make_config, ready_record_set):
    config = make_config(method={"name": "ada_df"}, data=DATA)
    assert build_method(config, RecordSet.load(ready_record_set)).crops == 10
    config = make_config(method={"name": "ada_df"}, data={"neighbors": None})
    assert build_method(config, RecordSet.load(ready_record_set)).crops == 1


@pytest.mark.parametrize("method", [{"name": "scn"}, {"name": "cross_entropy", "prediction_momentum": 0.9}])
def test_refused_where_a_sample_is_one_image(make_config, ready_record_set, method):
    with pytest.raises(TrainingError, match="ten rows of a batch cannot be one sample"):
        build_method(make_config(method=method, data=DATA), RecordSet.load(ready_record_set))


@pytest.mark.parametrize(
    ("key", "message"),
    [("data.ten_crop=[20, 30]", "not be smaller than image_size"), ("data.neighbors=n-k3", "a crop has no neighbours")],
)
def test_mistakes_are_named(make_config, tmp_path, key, message):
    file = tmp_path / "config.yaml"
    file.write_text(dump_config(make_config(method={"name": "ada_df"}, data=DATA)))
    with pytest.raises(ConfigError, match=message):
        load_config(file, [key])
