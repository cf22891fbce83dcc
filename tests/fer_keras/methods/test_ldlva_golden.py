"""LDLVA against the outputs of the authors' released code, and against the printed equations."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_keras.data.neighbors import nearest_neighbors
from fer_keras.emotions import EMOTIONS
from fer_keras.layers.adaptive_similarity import AdaptiveSimilarity
from fer_keras.layers.center_bank import CenterBank
from fer_keras.losses.discriminative import center_attraction, center_pull, center_push, center_push_gradient
from fer_keras.losses.neighbor_distribution import (
    aggregate_neighbors,
    contribution_degrees,
    local_similarity,
    target_distribution,
    uncertainty_gradient,
)
from fer_keras.losses.soft_cross_entropy import soft_cross_entropy, weighted_batch_mean
from fer_keras.methods import LDLVA

pytestmark = pytest.mark.golden

VALUE = {"rtol": 1e-4, "atol": 1e-5}
GRADIENT = {"rtol": 1e-3, "atol": 1e-5}


def one_hot(labels, classes):
    return np.eye(classes, dtype="float32")[labels]


def set_calibration(layer: AdaptiveSimilarity, net: dict, norm: str) -> None:
    """Gives the calibration network the golden parameters; `norm` is the arrays' prefix, ``bn`` or ``ln``."""
    for i, (dense, normalization) in enumerate(zip(layer.hidden, layer.norms), start=1):
        dense.set_weights([net[f"kernel_{i}"], net[f"bias_{i}"]])
        parts = ["scale", "shift", "mean", "variance"] if norm == "bn" else ["scale", "shift"]
        normalization.set_weights([net[f"{norm}_{part}_{i}"] for part in parts])
        normalization.epsilon = float(net[f"{norm}_epsilon"])
    layer.score.set_weights([net["kernel_3"], net["bias_3"]])
    layer.floor = float(net.get("floor", layer.floor))


# -- released code -----------------------------------------------------------------------------------------------


def test_ldlva_neighbors_and_similarity(golden):
    case = golden("ldlva").case("knn")
    k = case["index"].shape[1]
    ids, differences = nearest_neighbors(case["valence_arousal"], k)
    np.testing.assert_array_equal(ids, case["index"])
    similarity = local_similarity(differences, 0.5, "official")
    np.testing.assert_allclose(similarity, case["similarity"], **VALUE)


def test_ldlva_target_distribution(golden):
    arrays = golden("ldlva")
    cases = arrays.cases("target_")
    assert cases
    for name in cases:
        case = arrays.case(name)
        given = one_hot(case["labels"], case["neighbour_probs"].shape[-1])
        contribution = contribution_degrees(case["similarity"], case["calibration"])
        neighbors = aggregate_neighbors(contribution, case["neighbour_probs"])
        np.testing.assert_allclose(neighbors, case["neighbour_distribution"], **VALUE)
        target = target_distribution(given, neighbors, 1.0 - case["confidence"])
        np.testing.assert_allclose(target, case["distribution"], **VALUE)
        shared = target_distribution(given, neighbors, 1.0 - case["confidence_scalar"])
        np.testing.assert_allclose(shared, case["distribution_scalar"], **VALUE)


def test_ldlva_cross_entropy(golden):
    case = golden("ldlva").case("ce")
    epsilon = float(case["epsilon"])
    pred = tf.constant(case["pred"])
    with tf.GradientTape() as tape:
        tape.watch(pred)
        losses = soft_cross_entropy(case["target"], pred, epsilon)
        weighted = weighted_batch_mean(losses, case["sample_weights"])
    np.testing.assert_allclose(weighted_batch_mean(losses), case["value"], **VALUE)
    np.testing.assert_allclose(weighted, case["value_weighted"], **VALUE)
    np.testing.assert_allclose(tape.gradient(weighted, pred), case["grad_pred_weighted"], rtol=1e-3)


@pytest.mark.parametrize("name", ["disc_zero_start", "disc_given_start"])
def test_ldlva_centers_over_three_updates(golden, name):
    case = golden("ldlva").case(name)
    classes, width = case["centers_start"].shape
    bank = CenterBank(classes, width, float(case["center_rate"]), "official", push_scale=float(case["repulsion_scale"]))
    bank.centers.assign(case["centers_start"])
    for step in range(len(case["features"])):
        batch = tf.constant(case["features"][step])
        neighbors = case["neighbour_features"][step].reshape(-1, width)
        labels = np.concatenate([case["labels"][step], case["neighbour_labels"][step].ravel()])
        certainty = keras.ops.sigmoid(case["confidence_logits"][step][case["rows"][step], 0])
        with tf.GradientTape() as tape:
            tape.watch(batch)
            rows = tf.concat([batch, neighbors], 0)
            value = center_pull(rows, labels, certainty, bank.centers.value) / len(labels)
        np.testing.assert_allclose(value, case["value"][step], **VALUE)
        np.testing.assert_allclose(tape.gradient(value, batch), case["grad_features"][step], **GRADIENT)
        total, count = center_attraction(rows, labels, certainty, bank.centers.value)
        attraction = total / (1.0 + count)[:, None] / len(labels)
        np.testing.assert_allclose(attraction, case["attraction_gradient"][step], **GRADIENT)
        push = float(case["repulsion_scale"]) * center_push_gradient(
            case["centers_after_attraction"][step], width_power=1.0, ordered_pairs=False
        )
        np.testing.assert_allclose(push, case["repulsion_gradient"][step], **GRADIENT)
        bank.update(rows, labels, certainty)
        np.testing.assert_allclose(bank.centers.value, case["centers"][step], **VALUE)


def test_ldlva_calibration(golden):
    arrays = golden("ldlva")
    case, net = arrays.case("calibration"), arrays.case("calibration_net")
    layer = AdaptiveSimilarity("official")
    features, neighbors = tf.constant(case["features"]), tf.constant(case["neighbour_features"])
    layer(features, neighbors)
    set_calibration(layer, net, "bn")
    np.testing.assert_allclose(layer.raw_score(features, neighbors), case["raw_score"], **VALUE)
    with tf.GradientTape() as tape:
        tape.watch([features, neighbors])
        calibration = layer(features, neighbors)
        value = tf.reduce_sum(calibration * case["cotangent"])
    np.testing.assert_allclose(calibration, case["calibration"], **VALUE)
    own, other = tape.gradient(value, [features, neighbors])
    np.testing.assert_allclose(own, case["grad_features"], **GRADIENT)
    np.testing.assert_allclose(other, case["grad_neighbour_features"], **GRADIENT)


@pytest.mark.parametrize("name", ["steps_plain", "steps_momentum"])
def test_ldlva_three_training_steps(golden, flat_backbone, name):
    arrays = golden("ldlva")
    case, all_labels = arrays.case(name), arrays["data.labels"]
    _, _, width = case["features"].shape
    classes = case["probs"].shape[-1]
    start = float(case["confidence_logit_start"])
    model = LDLVA(
        flat_backbone(width),
        EMOTIONS[:classes],
        num_samples=len(all_labels),
        fidelity="official",
        discriminative_weight=float(case["gamma"]),
        uncertainty_learning_rate=float(case["confidence_rate"]),
        uncertainty_momentum=float(case["confidence_momentum"]),
        initial_uncertainty=1.0 - 1.0 / (1.0 + np.exp(-start)),
    )
    set_calibration(model.calibration, arrays.case("calibration_net"), "bn")
    net = model.calibration
    watched = {
        "kernel_1": net.hidden[0].kernel, "bias_1": net.hidden[0].bias,
        "kernel_2": net.hidden[1].kernel, "bias_2": net.hidden[1].bias,
        "bn_scale_1": net.norms[0].gamma, "bn_shift_1": net.norms[0].beta,
        "bn_scale_2": net.norms[1].gamma, "bn_shift_2": net.norms[1].beta,
        "kernel_3": net.score.kernel, "bias_3": net.score.bias,
    }  # fmt: skip
    for step in range(len(case["features"])):
        here = {key: value[step] for key, value in case.items() if value.ndim and key != "class_weights"}
        x = {
            "sample_id": here["rows"],
            "neighbor_ids": here["neighbour_rows"],
            "neighbor_labels": all_labels[here["neighbour_rows"]],
            "neighbor_similarity": here["similarity"],
        }
        y = {"label": here["labels"], "distribution": one_hot(here["labels"], classes)}
        np.testing.assert_allclose(model.uncertainty_table.table, here["confidence_logits_before"], **VALUE)
        np.testing.assert_allclose(model.center_bank.centers, here["centers_before"], **VALUE)
        features, logits = tf.constant(here["features"]), tf.constant(here["logits"])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([features, logits])
            probs = tf.nn.softmax(logits)
            objective = model.objective(
                x, y, features, probs, here["neighbour_features"], here["neighbour_probs"], here["sample_weights"]
            )
        certainty = 1.0 - model.read_uncertainty(here["rows"])
        np.testing.assert_allclose(certainty, here["confidence"][:, 0], **VALUE)
        np.testing.assert_allclose(objective.state["calibration"], here["calibration"], **VALUE)
        np.testing.assert_allclose(objective.state["target"], here["target"], **VALUE)
        np.testing.assert_allclose(objective.logs["discriminative"], here["loss_disc"], **VALUE)
        np.testing.assert_allclose(objective.loss, here["loss"], **VALUE)
        for key, tensor in (("features", features), ("logits", logits), ("probs", probs)):
            np.testing.assert_allclose(tape.gradient(objective.loss, tensor), here[f"grad_{key}"], **GRADIENT)
        gradients = tape.gradient(objective.loss, {key: weight.value for key, weight in watched.items()})
        for key, gradient in gradients.items():
            if key not in ("bias_1", "bias_2"):  # in front of BatchNorm: zero but for rounding
                np.testing.assert_allclose(tf.norm(gradient), here[f"norm_grad_{key}"], **GRADIENT)
        for key in ("kernel_3", "bias_3", "bn_scale_2", "bn_shift_2"):
            np.testing.assert_allclose(gradients[key], here[f"grad_{key}"], **GRADIENT)
        model.after_step(x, y, objective)
        np.testing.assert_allclose(model.uncertainty_table.table, here["confidence_logits_after"], **VALUE)
        np.testing.assert_allclose(model.center_bank.centers, here["centers_after"], **VALUE)
        mean_confidence = np.mean(1.0 - model.read_uncertainty(here["rows"]))
        np.testing.assert_allclose(mean_confidence, here["mean_confidence_after"], **VALUE)


def test_ldlva_closed_form_of_the_confidence_gradient(golden):
    case = golden("ldlva").case("steps_plain")
    for step in range(len(case["features"])):
        rows, labels = case["rows"][step], case["labels"][step]
        probs, target = case["probs"][step], case["target"][step]
        given = one_hot(labels, probs.shape[-1])
        kappa = case["confidence"][step]
        neighbors = (target - kappa * given) / (1.0 - kappa)
        gradient = -uncertainty_gradient(given, neighbors, probs) * (kappa * (1.0 - kappa))[:, 0] / len(rows)
        np.testing.assert_allclose(gradient, case["grad_confidence_logits"][step][rows, 0], **GRADIENT)


# -- printed equations -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["main", "initial"])
def test_ldlva_paper_equations(golden, flat_backbone, name):
    arrays = golden("ldlva_paper")
    case, net = arrays.case(name), arrays.case("net")
    all_va, gamma, delta = arrays["all_valence_arousal"], float(arrays["gamma"]), float(arrays["delta"])
    k = int(arrays["neighbours"])
    (batch, width), classes = case["features"].shape, case["logits"].shape[1]
    ids, differences = nearest_neighbors(all_va, k)
    ids, differences = ids[case["rows"]], differences[case["rows"]]
    np.testing.assert_array_equal(ids, case["neighbour_rows"])
    np.testing.assert_allclose(np.sum(differences**2, -1), case["squared_distance"], **VALUE)

    model = LDLVA(
        flat_backbone(width), EMOTIONS[:classes], num_samples=len(all_va), fidelity="paper",
        similarity_scale=delta, discriminative_weight=gamma,
    )  # fmt: skip
    set_calibration(model.calibration, net, "ln")
    model.uncertainty_table.write(case["rows"], case["lambda"][:, None])
    model.center_bank.centers.assign(case["centers"])
    given = one_hot(case["labels"], classes)
    x = {
        "sample_id": case["rows"],
        "neighbor_ids": ids,
        "neighbor_labels": arrays["all_labels"][ids],
        "neighbor_differences": differences,
    }
    y = {"label": case["labels"], "distribution": given}
    inputs = {key: tf.constant(case[key]) for key in ("features", "logits", "neighbour_features", "neighbour_logits")}
    parameters = {
        "kernel_3": model.calibration.score.kernel.value,
        "bias_3": model.calibration.score.bias.value,
        "ln_scale_2": model.calibration.norms[1].gamma.value,
        "ln_shift_2": model.calibration.norms[1].beta.value,
    }
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        probs = tf.nn.softmax(inputs["logits"])
        neighbor_probs = tf.nn.softmax(inputs["neighbour_logits"])
        objective = model.objective(x, y, inputs["features"], probs, inputs["neighbour_features"], neighbor_probs)
        total = objective.loss * batch
        loss_cls = total - gamma * objective.logs["discriminative"] * batch
    state = objective.state
    np.testing.assert_allclose(local_similarity(differences, delta, "paper"), case["similarity"], **VALUE)
    np.testing.assert_allclose(state["calibration"], case["calibration"], **VALUE)
    np.testing.assert_allclose(state["neighbor_distribution"], case["neighbour_distribution"], **VALUE)
    np.testing.assert_allclose(state["target"], case["target"], **VALUE)
    np.testing.assert_allclose(soft_cross_entropy(given, probs), case["ce_label"], **VALUE)
    ce_neighbors = soft_cross_entropy(state["neighbor_distribution"], probs)
    np.testing.assert_allclose(ce_neighbors, case["ce_neighbours"], **VALUE)
    np.testing.assert_allclose(soft_cross_entropy(state["target"], probs), case["ce_target"], **VALUE)
    gradient = uncertainty_gradient(given, state["neighbor_distribution"], probs)
    np.testing.assert_allclose(gradient, case["dcls_dlambda"], **VALUE)
    np.testing.assert_allclose(loss_cls, case["loss_cls"], **VALUE)
    np.testing.assert_allclose(objective.logs["discriminative"] * batch, case["loss_disc"], **VALUE)
    np.testing.assert_allclose(total, case["loss"], **VALUE)
    for key, tensor in inputs.items():
        for value, kind in ((loss_cls, "cls"), (total, "total")):
            found = tape.gradient(value, tensor)
            np.testing.assert_allclose(found, case[f"grad_{kind}_{key}"], err_msg=f"{kind} {key}", **GRADIENT)
    for key, weight in parameters.items():
        np.testing.assert_allclose(tape.gradient(total, weight), case[f"grad_net_{key}"], **GRADIENT)


@pytest.mark.parametrize("name", ["main", "initial"])
def test_ldlva_paper_discriminative_gradients(golden, name):
    case = golden("ldlva_paper").case(name)
    features, centers = tf.constant(case["features"]), tf.constant(case["centers"])
    uncertainty = tf.constant(case["lambda"])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([features, centers, uncertainty])
        pull = center_pull(features, case["labels"], 1.0 - uncertainty, centers)
        push = center_push(centers)
    np.testing.assert_allclose(pull, case["loss_disc_pull"], **VALUE)
    np.testing.assert_allclose(push, case["loss_disc_push"], **VALUE)
    np.testing.assert_allclose(tape.gradient(pull, features), case["grad_disc_features"], **GRADIENT)
    np.testing.assert_allclose(tape.gradient(pull, uncertainty), case["grad_disc_lambda"], **GRADIENT)
    np.testing.assert_allclose(
        tf.convert_to_tensor(tape.gradient(pull, centers)), case["grad_disc_pull_centers"], **GRADIENT
    )
    np.testing.assert_allclose(tape.gradient(push, centers), case["grad_disc_push_centers"], **GRADIENT)
    np.testing.assert_allclose(center_push_gradient(centers), case["grad_disc_push_centers"], **GRADIENT)
