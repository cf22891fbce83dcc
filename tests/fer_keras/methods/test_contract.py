"""The contract of the methods: what each must do, whatever its equations. VARIANTS must have every method."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import fer_keras.methods as methods
from fer_keras.emotions import CIRCUMPLEX, EMOTIONS_7
from fer_keras.training.recorder import Recorder
from fer_keras.training.run_folder import RunFolder

N, K, SIZE, C = 24, 3, 16, 7


@pytest.fixture
def backbone(flat_backbone):
    keras.utils.set_random_seed(1)
    return flat_backbone(12, SIZE)


@pytest.fixture
def dataset():
    """A tiny learnable set: the brightness of an image tells its class."""
    rng = np.random.default_rng(0)
    labels = np.arange(N) % C
    images = np.clip(labels[:, None, None, None] * 36 + rng.integers(0, 9, (N, SIZE, SIZE, 3)), 0, 255).astype("uint8")
    neighbor_ids = np.stack([np.setdiff1d(np.flatnonzero(labels == labels[i]), [i])[:2] for i in range(N)])
    neighbor_ids = np.concatenate([neighbor_ids, (np.arange(N)[:, None] + 1) % N], axis=1)
    x = {
        "image": images,
        "sample_id": np.arange(N),
        "neighbor_ids": neighbor_ids.astype("int32"),
        "neighbor_differences": rng.normal(0, 0.1, (N, K, 2)).astype("float32"),
        "neighbor_labels": labels[neighbor_ids],
        "neighbor_images": images[neighbor_ids],
        "weak_a": images[::-1],
        "weak_b": images[::-1, :, ::-1],
        "strong": 255 - (255 - images[::-1]) // 2,
    }
    corners = np.array([CIRCUMPLEX[name] for name in EMOTIONS_7], "float32")
    y = {
        "label": labels,
        "distribution": np.eye(C, dtype="float32")[labels],
        "source_labels": np.stack(
            [labels, np.where(np.arange(N) % 5 == 0, -1, (labels + (np.arange(N) % 4 == 0)) % C)], 1
        ),
        # The label, and for every third sample another class beside it.
        "candidates": np.where(
            (np.arange(N) % 3 == 0)[:, None],
            0.6 * np.eye(C)[labels] + 0.4 * np.eye(C)[(labels + 2) % C],
            np.eye(C)[labels],
        ).astype("float32"),
        "valence_arousal": corners[labels] + rng.normal(0, 0.05, (N, 2)).astype("float32"),
    }
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(8, drop_remainder=True)


VARIANTS = {
    "fixmatch": ("fixmatch", {"floor": 0.5, "ema_decay": 0.5}),
    "ada_cm": ("ada_cm", {"floor": 0.5, "ema_decay": 0.5}),
    "leaf": ("leaf", {"num_experts": 4, "floor": 0.5, "ema_decay": 0.5}),
    "leaf_official": (
        "leaf",
        {"fidelity": "official", "num_experts": 4, "margin": "online", "floor": 0.5, "ema_decay": 0.5},
    ),
    "leaf_without_teacher": ("leaf", {"num_experts": 4, "ema_decay": None, "dropout": 0.1, "balance_weight": 1.0}),
    "dmue": ("dmue", {"stage": "stage0", "ramp_epochs": 3.0, "similarity_weight": 10.0}),
    "latent_truth_paper": ("latent_truth", {"source_weights": [1.0, 0.5]}),
    "latent_truth_official": (
        "latent_truth",
        {"source_weights": [3.0, 0.5], "fidelity": "official", "warmup_epochs": 6},
    ),
    "latent_truth_of_features": ("latent_truth", {"source_weights": [1.0, 0.5], "feature_dependent": True}),
    "scn_official": ("scn", {"fidelity": "official", "relabel_epoch": 4}),
    "scn_paper": ("scn", {"fidelity": "paper", "relabel_epoch": 4, "dropout": 0.1}),
    "rul": ("rul", {}),
    "rul_narrow": ("rul", {"embedding_width": 8, "head_dropout": 0.1, "uncertainty_momentum": 0.0}),
    "eac_clean": ("eac", {}),
    "eac_noisy": ("eac", {"views": "noisy", "consistency_weight": 1.0, "dropout": 0.1}),
    "ldl_alsg_images": ("ldl_alsg", {"neighbor_gradient": True}),
    "ldl_alsg_bank": ("ldl_alsg", {"neighbor_mode": "bank", "bank_momentum": 0.5, "edge_scale": None}),
    "ada_df": ("ada_df", {"stage": "stage0", "beta": 1}),
    "ada_df_official": (
        "ada_df",
        {"stage": "stage0", "fidelity": "official", "sharpen_temperature": 1.2, "freeze_trunk": True},
    ),
    "ada_df_constant": (
        "ada_df",
        {"stage": "stage0", "alpha": 0.5, "stop_gradient_target": True, "label_smoothing": 0.1},
    ),
    "center_loss": ("center_loss", {"center_weight": 0.01}),
    "island_loss": ("island_loss", {"island_weight": 0.5}),
    "cross_entropy": ("cross_entropy", {}),
    "cross_entropy_aggregated": ("cross_entropy", {"aggregation": "leaf"}),
    "scn_aggregated": ("scn", {"aggregation": {"num_experts": 3}}),
    "rul_aggregated": ("rul", {"aggregation": "leaf"}),
    "eac_aggregated": ("eac", {"aggregation": "leaf"}),
    "dmue_aggregated": ("dmue", {"stage": "stage0", "ramp_epochs": 3.0, "aggregation": "leaf"}),
    "ada_df_aggregated": ("ada_df", {"stage": "stage0", "beta": 1, "aggregation": "leaf"}),
    "ldlva_aggregated": ("ldlva", {"neighbor_mode": "bank", "aggregation": "leaf"}),
    "valence_arousal_aggregated": ("valence_arousal", {"expression_weight": 10.0, "aggregation": "leaf"}),
    "cross_entropy_smooth": ("cross_entropy", {"label_smoothing": 0.1, "prediction_momentum": 0.5}),
    "ldlva_official_images": ("ldlva", {"fidelity": "official", "neighbor_mode": "images"}),
    "ldlva_official_momentum": ("ldlva", {"uncertainty_momentum": 0.9, "neighbor_training": False}),
    "ldlva_official_bank": ("ldlva", {"neighbor_mode": "bank", "bank_momentum": 0.5}),
    "ldlva_paper_images": ("ldlva", {"fidelity": "paper", "neighbor_gradient": True}),
    "ldlva_paper_bank": ("ldlva", {"fidelity": "paper", "neighbor_mode": "bank"}),
    "ldlva_without_distribution": ("ldlva", {"label_distribution": False}),
    "ldlva_without_similarity": ("ldlva", {"adaptive_similarity": False}),
    "ldlva_without_uncertainty": ("ldlva", {"uncertainty": False}),
    "ldlva_without_discriminative": ("ldlva", {"discriminative": False}),
    # The accuracy is to rise within 24 steps; the default weights have their own test of learning both.
    "valence_arousal": ("valence_arousal", {"expression_weight": 3.0}),
    "votes_majority": ("votes", {"scheme": "majority"}),
    "votes_multi_target": ("votes", {"scheme": "multi_target"}),
    "votes_probability": ("votes", {"scheme": "probability", "dropout": 0.1}),
    "votes_cross_entropy": ("votes", {"scheme": "cross_entropy"}),
    "votes_average": ("votes", {"scheme": "average"}),
    "pll": ("pll", {"decoder_width": 16, "decoder_hidden": 16, "ramp_epochs": 4.0, "negative_weight": 0.1}),
    "pll_prototype": (
        "pll",
        {"decoder_width": 16, "decoder_depth": 1, "disambiguation": "prototype", "label_attention": True},
    ),
    "ambiguity_distillation": ("ambiguity_distillation", {"ramp_epochs": 2.0, "teacher_decay": 0.5}),
    "fixmatch_aggregated": ("fixmatch", {"floor": 0.5, "ema_decay": 0.5, "aggregation": {"num_experts": 3}}),
    "votes_aggregated": ("votes", {"scheme": "majority", "aggregation": "leaf"}),
    "ambiguity_distillation_aggregated": (
        "ambiguity_distillation",
        {"ramp_epochs": 2.0, "teacher_decay": 0.5, "aggregation": {"num_experts": 3}},
    ),
    "ambiguity_distillation_smooth": ("ambiguity_distillation", {"label_smoothing": 0.1, "dropout": 0.1}),
    "valence_arousal_smooth": ("valence_arousal", {"label_smoothing": 0.1, "mse_weight": 0.0, "ccc_weight": 0.5}),
}


SECOND = (
    "fixmatch_aggregated",
    "votes_aggregated",
    "ambiguity_distillation_aggregated",
    "scn_aggregated",
    "rul_aggregated",
    "eac_aggregated",
    "dmue_aggregated",
    "ada_df_aggregated",
    "ldlva_aggregated",
    "valence_arousal_aggregated",
    "leaf_official",
    "leaf_without_teacher",
    "latent_truth_official",
    "latent_truth_of_features",
    "scn_paper",
    "rul_narrow",
    "eac_noisy",
    "ldl_alsg_images",
    "ada_df_official",
    "ada_df_constant",
    "ldlva_official_momentum",
    "ldlva_without_distribution",
    "ldlva_without_similarity",
    "ldlva_without_uncertainty",
    "ldlva_without_discriminative",
    "valence_arousal_smooth",
    "votes_majority",
    "votes_multi_target",
    "votes_cross_entropy",
    "votes_average",
    "pll_prototype",
    "ambiguity_distillation_smooth",
)
"""Further options of methods that the default run tests already; each takes ten seconds."""


@pytest.fixture(
    params=[
        pytest.param(variant, id=name, marks=[pytest.mark.slow] if name in SECOND else [])
        for name, variant in VARIANTS.items()
    ]
)
def method(request, backbone):
    keras.utils.set_random_seed(0)
    name, options = request.param
    cls = methods.get(name)
    if cls.uses_sample_table:
        options = {**options, "num_samples": N}
    return cls(backbone, EMOTIONS_7, **options)


def test_learns_saves_and_exports(method, dataset, tmp_path):
    method.compile(keras.optimizers.Adam(0.01))
    history = method.fit(dataset, epochs=8, validation_data=dataset, verbose=0).history
    assert history["val_loss"][-1] < history["val_loss"][0]
    assert history["accuracy"][-1] > history["accuracy"][0]
    for name in method.diagnostics:
        assert np.isfinite(history[name]).all()
    images = next(iter(dataset))[0]["image"]
    probs = method.predict({"image": images}, verbose=0)
    np.testing.assert_allclose(probs.sum(-1), 1.0, rtol=1e-5)

    method.save(tmp_path / "method.keras")
    restored = keras.models.load_model(tmp_path / "method.keras")
    config, restored_config = method.get_config(), restored.get_config()
    assert {**restored_config, "backbone": None} == {**config, "backbone": None}
    for before, after in zip(method.variables, restored.variables):
        if "seed_generator" not in before.path:  # Keras stores no state of Dropout
            np.testing.assert_array_equal(before, after, err_msg=before.path)
    np.testing.assert_allclose(restored.predict(images, verbose=0), probs, rtol=1e-5, atol=1e-6)

    inference = method.inference_model()
    outputs = inference.predict(images, verbose=0)
    np.testing.assert_allclose(outputs["probs"], probs, rtol=1e-5, atol=1e-6)
    assert outputs["features"].shape == (8, method.feature_width)
    assert inference.inputs[0].name == "image" and inference.inputs[0].dtype == "uint8"
    names = (  # heads that take part in a prediction
        "classifier", "regressor", "attention", "mean_head", "neck", "levels", "decoder",
        "teacher_backbone", "teacher_levels", "teacher_classifier", "aggregation_levels",
    )  # fmt: skip
    heads = [getattr(method, name) for name in names if getattr(method, name, None) is not None]
    leaked = {weight.path for weight in inference.weights} - {
        weight.path for part in (method.backbone, *heads) for weight in part.weights
    }
    assert not leaked


def test_every_registered_method_is_tested_here():
    assert {name for name, _ in VARIANTS.values()} == set(methods.names())
    first = {name for variant, (name, _) in VARIANTS.items() if variant not in SECOND}
    assert first == set(methods.names()), "each needs a variant in the default run"


def test_resumes_bit_for_bit(method, dataset, tmp_path):
    keras.utils.set_random_seed(2)
    interrupted = method.__class__.from_config(method.get_config())
    twin = method.__class__.from_config(method.get_config())
    for model in (interrupted, twin):
        for variable, start in zip(model.variables, method.variables, strict=True):
            variable.assign(start)  # the state of Dropout's random numbers included
    fit = {"validation_data": dataset, "verbose": 0}
    for model in (method, interrupted, twin):
        model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)  # a few steps: faster than making the graph
    method.fit(dataset, epochs=3, callbacks=[Recorder(make_folder(tmp_path / "whole"), "val_accuracy")], **fit)
    folder = make_folder(tmp_path / "parts")
    interrupted.fit(dataset, epochs=2, callbacks=[Recorder(folder, "val_accuracy")], **fit)
    recorder = Recorder(folder, "val_accuracy")
    assert recorder.restore(twin) == 2
    twin.fit(dataset, epochs=3, initial_epoch=2, callbacks=[recorder], **fit)
    for whole, parts in zip(method.variables, twin.variables, strict=True):
        np.testing.assert_array_equal(whole, parts, err_msg=whole.path)
    assert RunFolder(tmp_path / "whole").results.read_text() == folder.results.read_text()


def make_folder(path) -> RunFolder:
    folder = RunFolder(path)
    folder.create("")
    return folder


def test_wrong_image_size_names_the_shape(method):
    with pytest.raises(ValueError, match=r"\(2, 9, 9, 3\); wanted \(batch, 16, 16, 3\)"):
        method(np.zeros((2, 9, 9, 3), "uint8"))


def test_refuses_a_foreign_loss(backbone, dataset):
    model = methods.CrossEntropy(backbone, EMOTIONS_7)
    model.compile("adam", loss="categorical_crossentropy")
    with pytest.raises(ValueError, match="brings its own loss"):
        model.fit(dataset, verbose=0)


def test_samples_without_a_label_are_no_mistakes(backbone, dataset):
    model = methods.CrossEntropy(backbone, EMOTIONS_7)
    model.compile("sgd")
    agrees = dataset.map(lambda x, y: (x, {**y, "label": tf.argmax(model(x, training=False), axis=-1)}))
    some = agrees.map(
        lambda x, y: (x, {**y, "label": tf.where(x["sample_id"] % 3 == 0, tf.constant(-1, tf.int64), y["label"])})
    )
    assert model.evaluate(some, return_dict=True, verbose=0)["accuracy"] == 1.0


def test_nan_stops_training_with_a_reason(backbone, dataset):
    model = methods.CrossEntropy(backbone, EMOTIONS_7)
    model.compile("sgd")
    model.classifier.bias.assign(np.full(C, np.nan))
    with pytest.raises(tf.errors.InvalidArgumentError, match="NaN or infinite; lower the learning rate"):
        model.fit(dataset, verbose=0)


def test_mixed_precision_trains(flat_backbone, dataset):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = methods.LDLVA(flat_backbone(12, SIZE), EMOTIONS_7, num_samples=N)
        model.compile(keras.optimizers.Adam(0.01))
        history = model.fit(dataset, epochs=3, verbose=0).history
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert np.isfinite(history["loss"]).all()
    assert model.inference_model().output["probs"].dtype == "float32"


def test_registry_suggests():
    with pytest.raises(ValueError, match=r"unknown method 'ldva'.*ldlva"):
        methods.get("ldva")
    with pytest.raises(ValueError, match=r"method.neighbour_mode: ldlva has no such option.*neighbor_mode"):
        methods.check_options("ldlva", ["neighbour_mode"])
    methods.check_options("ldlva", ["dropout", "fidelity"])
    methods.check_options("cross_entropy", ["label_smoothing", "dropout"])
