import numpy as np
import pytest

from fer_keras.data.augmentation import Augmentation
from fer_keras.data.pipeline import PipelineError
from fer_keras.data.records import RecordSet
from fer_keras.data.unlabelled import unlabelled_dataset

SUBSET = np.arange(3, 23)


@pytest.fixture
def batches(tiny_record_set):
    """A function (**options) -> the batches as dictionaries of arrays."""

    def make(initial_epoch=0, epochs=3, batch_size=6, cache=True):
        dataset = unlabelled_dataset(
            RecordSet.load(tiny_record_set), "train", (24, 24), batch_size,
            subset=SUBSET, steps_per_epoch=4, epochs=epochs, initial_epoch=initial_epoch, seed=1, cache=cache,
            weak=(Augmentation(True, 2, seed=1, stream=3), Augmentation(True, 2, seed=1, stream=4)),
            strong=Augmentation(rand_augment={"num_ops": 2, "factor": 1.0}, seed=1, stream=5),
        )  # fmt: skip
        return [{name: values.numpy() for name, values in batch.items()} for batch in dataset]

    return make


def test_three_views_of_the_same_images_and_no_label(batches):
    found = batches()
    assert len(found) == 12
    for batch in found:
        assert set(batch) == {"weak_a", "weak_b", "strong", "unlabelled_id"}
        assert set(batch["unlabelled_id"]) <= set(SUBSET)
        views = [batch[name] for name in ("weak_a", "weak_b", "strong")]
        assert all(view.shape == (6, 24, 24, 3) and view.dtype == np.uint8 for view in views)
        assert not np.array_equal(views[0], views[1]) and not np.array_equal(views[0], views[2])
    # Three batches are a cycle through the 20 samples, less what does not fill one.
    first = np.concatenate([batch["unlabelled_id"] for batch in found[:3]])
    assert len(set(first)) == 18


def test_the_views_are_those_of_their_augmentations(batches, tiny_record_set):
    from fer_keras.data.image_store import image_reader

    read = image_reader(RecordSet.load(tiny_record_set), "train", (24, 24), cache=True)
    batch = batches()[5]  # epoch 1, step 1
    weak = Augmentation(True, 2, seed=1, stream=4)
    np.testing.assert_array_equal(batch["weak_b"], weak(read(batch["unlabelled_id"]), 1, 1))


@pytest.mark.parametrize("cache", [True, False])
def test_a_resumed_run_gets_what_the_uninterrupted_run_gets(batches, cache):
    whole, later = batches(), batches(initial_epoch=2, cache=cache)
    assert len(later) == 4
    for expected, found in zip(whole[8:], later, strict=True):
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])


def test_refuses_fewer_images_than_a_batch(batches):
    with pytest.raises(PipelineError, match="20 unlabelled samples, fewer than a batch of 21"):
        batches(batch_size=21)
