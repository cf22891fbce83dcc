import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_keras.emotions import EMOTIONS_7
from fer_keras.methods import PLL

B, C, N = 6, 7, 20
RNG = np.random.default_rng(0)
LOGITS = [RNG.normal(0, 2, (B, C)).astype("float32") for _ in range(4)]
CANDIDATES = RNG.dirichlet(np.full(C, 0.4), N).astype("float32")
CANDIDATES[CANDIDATES < 0.1] = 0
CANDIDATES /= CANDIDATES.sum(1, keepdims=True)
IDS = np.array([3, 0, 11, 19, 7, 5])


@pytest.fixture(scope="module")
def build(flat_backbone):
    backbone = flat_backbone(5)

    def make(**options):
        keras.utils.set_random_seed(0)
        return PLL(backbone, EMOTIONS_7, num_samples=N, decoder_width=8, decoder_hidden=8, **options)

    return make


def softmax(z):
    return np.exp(z) / np.exp(z).sum(-1, keepdims=True)


def slow_uniformity(embeddings):
    unit = [e / np.linalg.norm(e) for e in embeddings]
    pairs = [np.exp(-2 * np.sum((a - b) ** 2)) for i, a in enumerate(unit) for j, b in enumerate(unit) if i != j]
    return np.log(np.mean(pairs))


@pytest.mark.parametrize("disambiguation", ["progressive", "prototype"])
def test_steps_equal_the_slow_loop(build, disambiguation):
    """Three epochs of one batch: the loss and the confidence table, with warm-up and ramp."""
    model = build(
        disambiguation=disambiguation, momentum=(0.9, 0.5), ramp_epochs=2.0, warmup_epochs=1, negative_weight=0.3
    )
    y, table = {"candidates": CANDIDATES[IDS]}, CANDIDATES.astype("float64").copy()
    for epoch, phi in ((1, 1.0), (2, 0.7), (3, 0.5), (4, 0.5)):  # the first epoch is the warm-up
        logits = LOGITS[epoch - 1]
        probs, losses, negatives = softmax(logits.astype("float64")), [], []
        for i, sample in enumerate(IDS):
            losses.append(-sum(table[sample, c] * np.log(probs[i, c]) for c in range(C)))
            outside = [c for c in range(C) if CANDIDATES[sample, c] == 0]
            negatives.append(-sum(np.log(1 - probs[i, c]) for c in outside))
        uniformity = slow_uniformity(np.asarray(model.decoder.embeddings, np.float64))
        expected = np.mean(losses) + 0.1 * uniformity + 0.3 * np.mean(negatives)
        model.begin_epoch(epoch)
        objective = model.objective({"sample_id": IDS}, y, logits)
        assert float(objective.loss) == pytest.approx(expected, rel=1e-4)
        assert float(objective.logs["confidence"]) == pytest.approx(table[IDS].max(1).mean(), rel=1e-5)
        model.after_step({"sample_id": IDS}, y, objective)
        for i, sample in enumerate(IDS):
            inside = [c for c in range(C) if CANDIDATES[sample, c] > 0]
            truth = np.zeros(C)
            if disambiguation == "progressive":
                truth[inside] = probs[i, inside] / probs[i, inside].sum()
            else:
                truth[max(inside, key=lambda c: probs[i, c])] = 1
            table[sample] = phi * table[sample] + (1 - phi) * truth
        np.testing.assert_allclose(model.stored_confidences(IDS, CANDIDATES[IDS]), table[IDS], rtol=1e-4, atol=1e-6)
    given = np.eye(C)[np.zeros(N, int)]
    recovered = model.label_distributions(given, None, None)
    np.testing.assert_allclose(recovered[IDS], table[IDS], rtol=1e-4, atol=1e-6)
    unseen = np.setdiff1d(np.arange(N), IDS)
    np.testing.assert_array_equal(recovered[unseen], given[unseen])


def test_hand_computed(build):
    model = build(uniformity_weight=0.0)
    candidates = np.array([[0.5, 0.5, 0, 0, 0, 0, 0]], "float32")
    logits = np.log(np.array([[0.6, 0.2, 0.04, 0.04, 0.04, 0.04, 0.04]], "float32"))
    x, y = {"sample_id": np.array([4])}, {"candidates": candidates}
    model.begin_epoch(2)
    objective = model.objective(x, y, logits)
    assert float(objective.loss) == pytest.approx(-0.5 * np.log(0.6) - 0.5 * np.log(0.2), rel=1e-5)
    model.after_step(x, y, objective)
    # The second of 40 steps from 0.95 to 0.8 is 0.94625; the prediction inside of the set is 0.75, 0.25.
    expected = 0.94625 * 0.5 + 0.05375 * np.array([0.75, 0.25])
    np.testing.assert_allclose(model.confidence.read([4])[0, :2], expected, rtol=1e-5)


def test_gradients_are_those_by_hand(build):
    """By the logits p - Q over B, and nothing through the confidences; the embeddings move for uniformity alone."""
    model = build(uniformity_weight=0.1)
    model.begin_epoch(2)
    logits, x, y = tf.constant(LOGITS[0]), {"sample_id": IDS}, {"candidates": CANDIDATES[IDS]}
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = model.objective(x, y, logits).loss
    by_logits, by_embeddings = tape.gradient(loss, [logits, model.decoder.embeddings.value])
    np.testing.assert_allclose(by_logits, (softmax(LOGITS[0]) - CANDIDATES[IDS]) / B, atol=1e-6)
    assert np.abs(by_embeddings).max() > 0
    frozen = build(uniformity_weight=0.0)
    with tf.GradientTape() as tape:
        loss = frozen.objective(x, y, logits).loss
    assert tape.gradient(loss, frozen.decoder.embeddings.value) is None


def test_finds_the_true_candidate_of_ambiguous_samples(flat_backbone):
    """Brightness tells the class; each sample has a second candidate at random, with the same share."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    labels = np.arange(140) % C
    images = np.clip(labels[:, None, None, None] * 40 + rng.integers(0, 5, (140, 8, 8, 3)), 0, 255).astype("uint8")
    candidates = np.eye(C, dtype="float32")[labels]
    candidates[np.arange(140), (labels + rng.integers(1, C, 140)) % C] = 1
    candidates /= candidates.sum(1, keepdims=True)
    x = {"image": images, "sample_id": np.arange(140)}
    y = {"label": labels, "distribution": np.eye(C, dtype="float32")[labels], "candidates": candidates}
    data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(140, seed=0).batch(20)
    model = PLL(
        flat_backbone(12), EMOTIONS_7, num_samples=140, decoder_width=16, decoder_hidden=16, decoder_depth=1,
        ramp_epochs=5.0, momentum=(0.7, 0.5),
    )  # fmt: skip
    model.compile(keras.optimizers.Adam(0.005))
    model.fit(data, epochs=15, verbose=0, shuffle=False)
    found = model.label_distributions(candidates, None, None)
    ambiguous = (candidates == 0.5).any(1)
    assert ambiguous.sum() == 140
    assert (found.argmax(1) == labels).mean() > 0.9
    assert found[np.arange(140), labels].mean() > 0.8


def test_exports_builtin_operators_and_the_same_predictions(build, tmp_path):
    from ai_edge_litert.interpreter import Interpreter

    from fer_keras.export.litert import export_litert

    model = build(label_attention=True)
    images = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 3)).astype("uint8")
    probs = model.predict(images, verbose=0)
    np.testing.assert_allclose(model.inference_model().predict(images, verbose=0)["probs"], probs, rtol=1e-5)
    file = export_litert(model, tmp_path / "pll.tflite", EMOTIONS_7)  # refuses operators that are not builtin
    runner = Interpreter(str(file)).get_signature_runner("serving_default")
    for image, expected in zip(images, probs):
        np.testing.assert_allclose(runner(image=image[None])["probs"][0], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"disambiguation": "argmax"}, "disambiguation: 'argmax'; wanted one of: progressive, prototype"),
        ({"momentum": (0.9, 1.2)}, r"momentum: \[0.9, 1.2\]"),
        ({"momentum": (0.9,)}, r"momentum: \[0.9\]; wanted two values"),
        ({"ramp_epochs": 0.0}, "ramp_epochs: 0.0"),
        ({"warmup_epochs": -1}, "warmup_epochs: -1"),
        ({"uniformity_weight": -0.1}, "uniformity_weight: -0.1; wanted 0 or more"),
        ({"negative_weight": -0.1}, "negative_weight: -0.1; wanted 0 or more"),
        ({"decoder_heads": 3}, "3 do not divide the width 8"),
    ],
)
def test_refuses_bad_options(build, options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_refuses_batches_without_candidates(build):
    with pytest.raises(ValueError, match="needs y\\['candidates'\\]"):
        build().objective({"sample_id": IDS}, {"label": IDS}, LOGITS[0])
