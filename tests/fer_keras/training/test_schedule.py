import keras
import numpy as np
import pytest

from fer_keras.config.schema import Schedule
from fer_keras.training.schedule import WarmUp, build_optimizer, learning_rate


def rates(schedule: Schedule, steps: int) -> list[float]:
    rate = learning_rate(schedule, steps)
    return [float(rate(step)) if callable(rate) else rate for step in range(schedule.epochs * steps)]


def test_constant():
    assert rates(Schedule(decay="constant", learning_rate=0.5, epochs=2), 3) == [0.5] * 6


def test_cosine_ends_near_zero():
    found = rates(Schedule(decay="cosine", learning_rate=1.0, epochs=4), 25)
    expected = 0.5 * (1 + np.cos(np.pi * np.arange(100) / 100))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_exponential_falls_once_an_epoch():
    found = rates(Schedule(decay="exponential", learning_rate=1.0, decay_rate=0.5, epochs=3), 2)
    np.testing.assert_allclose(found, [1, 1, 0.5, 0.5, 0.25, 0.25])


def test_piecewise_falls_at_the_boundaries():
    schedule = Schedule(decay="piecewise", learning_rate=1.0, decay_rate=0.1, boundaries=[1, 2], epochs=3)
    # Keras keeps the old rate on the boundary's own step.
    np.testing.assert_allclose(rates(schedule, 2), [1, 1, 1, 0.1, 0.1, 0.01], rtol=1e-6)


@pytest.mark.parametrize("decay", ["constant", "cosine", "exponential"])
def test_warm_up_rises_linearly(decay):
    schedule = Schedule(decay=decay, learning_rate=1.0, warmup_epochs=2, epochs=5)
    found = rates(schedule, 4)
    np.testing.assert_allclose(found[:9], np.arange(9) / 8, atol=1e-6)
    assert max(found) == pytest.approx(1.0)


def test_warm_up_survives_saving():
    schedule = WarmUp(keras.optimizers.schedules.CosineDecay(0.1, 10), 5)
    restored = WarmUp.from_config(schedule.get_config())
    np.testing.assert_allclose([restored(s) for s in range(15)], [schedule(s) for s in range(15)])


@pytest.mark.parametrize(("name", "cls"), [("adam", "Adam"), ("adamw", "AdamW"), ("sgd", "SGD")])
def test_optimizers(name, cls):
    optimizer = build_optimizer(Schedule(optimizer=name, weight_decay=0.01, clip_norm=1.0), 10, ema=0.9)
    assert type(optimizer).__name__ == cls
    assert (optimizer.weight_decay, optimizer.global_clipnorm, optimizer.ema_momentum) == (0.01, 1.0, 0.9)


def test_weight_decay_may_spare_biases_and_normalisations():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3), keras.layers.LayerNormalization()])
    for spare, decayed in ((True, 1), (False, 4)):
        schedule = Schedule(
            optimizer="adamw", decay="constant", learning_rate=0.1, weight_decay=0.5, decay_biases=not spare
        )
        optimizer = build_optimizer(schedule, 10)
        model.set_weights([np.ones(weight.shape) for weight in model.weights])
        optimizer.apply([weight * 0 for weight in model.trainable_weights], model.trainable_weights)
        moved = [float(np.max(np.abs(weight - 1))) for weight in model.weights]
        np.testing.assert_allclose(moved, [0.05] * decayed + [0.0] * (4 - decayed), atol=1e-6)


def test_the_average_of_squared_gradients_is_the_schedules():
    assert build_optimizer(Schedule(optimizer="adamw", beta_2=0.95), 10).beta_2 == 0.95
    assert build_optimizer(Schedule(optimizer="adam"), 10).beta_2 == 0.999
