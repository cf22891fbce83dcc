"""The pseudo labels of FER2013 really say something about FER+'s labels: what LDLVA's neighbours live on."""

import csv

import numpy as np
import pytest

from fer_keras.data.neighbors import label_agreement, nearest_neighbors
from fer_keras.data.valence_arousal import ProbabilityTable, circumplex_position
from fer_keras.emotions import EMOTIONS, UNLABELLED
from tfrecords_tools.importers.ferplus import NON_EMOTIONS, majority_label


@pytest.mark.realdata
def test_neighbors_agree_in_the_label_far_above_chance(real_data):
    with open(real_data / "fer2013" / "fer2013new.csv", newline="") as file:
        training = [row for row in csv.DictReader(file) if row["Usage"] == "Training"]
    winners = [
        majority_label([int(row[name]) for name in EMOTIONS], [int(row[name]) for name in NON_EMOTIONS])
        for row in training
    ]
    labels = np.array([UNLABELLED if winner is None else winner for winner in winners])
    table = ProbabilityTable.read(real_data / "fer2013" / "pseudo_expression.csv")
    # The file's rows are those of fer2013.csv, where the Training rows come first.
    positions = circumplex_position(table.probabilities, table.class_names)[: len(labels)]
    positions[labels == UNLABELLED] = np.nan
    assert np.isfinite(positions).all(axis=1).sum() == 25_060
    found = label_agreement(*nearest_neighbors(positions, 8), labels)
    assert found.rate == pytest.approx(0.67, abs=0.01)
    assert found.chance == pytest.approx(0.244, abs=0.005)
