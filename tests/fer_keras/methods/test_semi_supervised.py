import keras
import numpy as np
import pytest
import tensorflow as tf

import fer_keras.methods as methods
from fer_keras.emotions import EMOTIONS_7

STEPS = ("step_mixed", "step_all", "step_none", "step_one")
NOT_STORED = ("ada_cm", "step_one")


@pytest.fixture
def build(flat_backbone):
    def make(name="leaf", width=12, **options):
        keras.utils.set_random_seed(0)
        return methods.get(name)(flat_backbone(width, 16), EMOTIONS_7, **options)

    return make


@pytest.mark.golden
@pytest.mark.parametrize(
    ("component", "step"),
    [(component, step) for component in ("leaf_fpl", "ada_cm") for step in STEPS if (component, step) != NOT_STORED],
)
def test_golden_step(golden, build, component, step):
    name, options = ("ada_cm", {}) if component == "ada_cm" else ("leaf", {"fidelity": "official", "margin": "online"})
    case = golden(component).case(step)
    model = build(name, **options)
    model.thresholds.thresholds.assign(case["thresholds"])
    inputs = {
        key: tf.Variable(case[key])
        for key in ("logits_labelled", "logits_weak_a", "logits_weak_b", "logits_strong", "feature_a", "feature_b")
    }
    y = {"label": case["labels"], "distribution": np.eye(7, dtype="float32")[case["labels"]]}
    with tf.GradientTape() as tape:
        weak = [
            {"logits": inputs[f"logits_weak_{view}"].value(), "embedding": inputs[f"feature_{view}"].value()}
            for view in "ab"
        ]
        labelled = {"logits": inputs["logits_labelled"].value(), "balance_loss": 0.0}
        objective = model.objective(y, labelled, weak, {"logits": inputs["logits_strong"].value()})
    np.testing.assert_allclose(objective.loss, case["loss"], rtol=1e-4)
    for term in ("labelled", "unlabelled", "contrastive"):
        np.testing.assert_allclose(objective.logs[term], case[f"loss_{term}"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(objective.logs["mask"], case["mask"].mean(), rtol=1e-6)
    gradients = tape.gradient(objective.loss, inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    for key, gradient in gradients.items():
        np.testing.assert_allclose(gradient, case[f"grad_{key}"], rtol=2e-3, atol=2e-6, err_msg=key)


def test_flat_predictions_give_no_unlabelled_loss_and_a_finite_gradient(build):
    model = build("leaf")
    weak, strong = tf.zeros((3, 7)), tf.Variable(np.random.default_rng(0).normal(size=(3, 7)).astype("float32"))
    model.thresholds.thresholds.assign(np.zeros(7))
    with tf.GradientTape() as tape:
        loss = model.unlabelled_loss([weak, weak], strong.value())["loss"]
    assert float(loss) == 0.0
    assert np.isfinite(tape.gradient(loss, strong)).all()


def test_a_mask_for_each_sample_leaves_the_unsure_ones_out(build):
    model = build("fixmatch")
    rng = np.random.default_rng(0)
    weak, strong = rng.normal(0, 4, (8, 7)).astype("float32"), rng.normal(size=(8, 7)).astype("float32")
    found = model.unlabelled_loss([weak], strong)
    probs = tf.nn.softmax(weak).numpy()
    sure = probs.max(1) >= 0.95
    assert 0 < sure.sum() < 8
    log_probs = tf.nn.log_softmax(strong).numpy()
    expected = -(log_probs[np.arange(8), probs.argmax(1)] * sure).mean()
    assert float(found["loss"]) == pytest.approx(expected, rel=1e-5)


def test_fuzzy_loss_has_the_size_of_the_cross_entropy_of_the_images_that_count(build):
    rng = np.random.default_rng(0)
    weak, strong = rng.normal(0, 4, (8, 7)).astype("float32"), rng.normal(size=(8, 7)).astype("float32")
    probs, log_probs = tf.nn.softmax(weak).numpy(), tf.nn.log_softmax(strong).numpy()
    sure = probs.max(1) >= 0.8
    assert 0 < sure.sum() < 8
    losses = -log_probs[np.arange(8), probs.argmax(1)]
    for mask_mode, expected in (("per_sample", (sure * losses).mean()), ("scalar", sure.mean() * losses.mean())):
        found = build("leaf", mask_mode=mask_mode).unlabelled_loss([weak, weak], strong)
        assert float(found["loss"]) == pytest.approx(expected, rel=1e-5)


def test_nobody_sure_is_no_loss(build):
    flat = np.zeros((4, 7), "float32")
    for mask_mode in ("per_sample", "scalar"):
        assert float(build("leaf", mask_mode=mask_mode).unlabelled_loss([flat, flat], flat)["loss"]) == 0.0


def test_the_teacher_follows_the_network_and_is_what_is_judged(build):
    model = build("ada_cm", ema_decay=0.5)
    model.compile(keras.optimizers.SGD(0.5))
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), np.uint8)
    x = {"image": images, "weak_a": images, "weak_b": images[:, ::-1], "strong": 255 - images}
    y = {"label": np.arange(4), "distribution": np.eye(7, dtype="float32")[:4]}
    before = [np.asarray(weight) for weight in model.teacher_classifier.weights]
    model.train_step((x, y))
    for teacher, live, start in zip(model.teacher_classifier.weights, model.classifier.weights, before):
        np.testing.assert_allclose(teacher, (start + np.asarray(live)) / 2, rtol=1e-5, atol=1e-6)
    features = model.pool(model.teacher_backbone(images.astype("float32")))
    expected = tf.nn.softmax(model.teacher_classifier(features))
    np.testing.assert_allclose(model.forward(images)["probs"], expected, rtol=1e-5)
    assert not any("teacher" in weight.path for weight in model.trainable_weights)


def test_thresholds_from_the_steps_of_an_epoch(build):
    model = build("ada_cm", floor=0.1)
    model.seen.assign(np.array([[1.8, 0, 0, 0, 0, 0, 0.5], [2, 0, 0, 0, 0, 0, 1]], "float32"))
    model.end_epoch(3)
    factor = 0.97 / (1 + np.exp(-3))
    np.testing.assert_allclose(model.thresholds.thresholds[::6], [0.9 * factor, 0.5 * factor], rtol=1e-5)
    np.testing.assert_allclose(model.thresholds.thresholds[1:6], 0.1, rtol=1e-6)
    np.testing.assert_array_equal(model.seen, 0)


def test_thresholds_from_a_pass_of_the_teacher(build):
    model = build("leaf", margin="augmented", floor=0.0)
    images = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), np.uint8)
    probs = np.asarray(model.forward(images)["probs"])
    labels = probs.argmax(1)
    labels[0] = (labels[0] + 1) % 7  # one is wrong
    model.epoch.assign(2)
    model.read_training_set(
        [({"image": images[:4]}, {"label": labels[:4]}), ({"image": images[4:]}, {"label": labels[4:]})]
    )
    for index in range(7):
        own = probs.max(1)[(labels == index) & (np.arange(6) > 0)]
        expected = 0.97 * own.mean() / (1 + np.exp(-2)) if len(own) else 0.0
        assert float(model.thresholds.thresholds[index]) == pytest.approx(expected, rel=1e-4)
    assert model.training_set_pass == "augmented"


def test_batches_without_unlabelled_views_are_refused(build):
    model = build("leaf")
    with pytest.raises(ValueError, match=r"batches lack weak_a, weak_b, strong: .*data\.labelled"):
        model.training_loss({"image": np.zeros((2, 16, 16, 3))}, {})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"category_level": "soft"}, "wanted one of: hard, fuzzy"),
        ({"weak_views": 3}, "wanted one of: 1, 2"),
        ({"weak_views": 1}, "compares two weak views"),
        ({"unlabelled_weight": -1.0}, "wanted 0 or more"),
        ({"ema_decay": 1.0}, "wanted null or a value"),
        ({"max_positives": 7}, "wanted 1 to 6"),
        ({"instance_level": "pixel"}, "feature, logits"),
        ({"fidelity": "free"}, "paper, official"),
    ],
)
def test_mistakes_are_named(build, options, message):
    with pytest.raises(ValueError, match=message):
        build("leaf", **options)


def test_the_released_code_is_an_option(build):
    official, paper = build("leaf", fidelity="official"), build("leaf")
    assert official.levels.semantic.share_experts and official.levels.semantic.k == 1
    assert (official.margin, official.shrink, paper.margin, paper.shrink) == ("augmented", 0.02, "online", 0.0)
    assert not paper.levels.semantic.share_experts and paper.levels.instance_level == "logits"
