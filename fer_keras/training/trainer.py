"""``train``: a configuration in, a judged run folder out."""

import contextlib
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from fer_keras import methods
from fer_keras.backbones import build_backbone
from fer_keras.backbones.weights.provenance import pretraining_record
from fer_keras.config import Config, dump_config, load_config
from fer_keras.data.records import RecordSet
from fer_keras.data.ten_crop import CROPS
from fer_keras.faces.crop_geometry import GEOMETRY_FILE, find_geometry
from fer_keras.files import write_json
from fer_keras.training.inputs import Inputs, build_inputs, second_pass, training_records
from fer_keras.training.judgement import judge
from fer_keras.training.recorder import Recorder, save_model
from fer_keras.training.run_folder import RunFolder
from fer_keras.training.schedule import build_optimizer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import Console


class TrainingError(ValueError):
    """A run that cannot be started or continued as asked."""


def build_method(config: Config, record_set: RecordSet, weights_file: bool = True) -> methods.Method:
    """The method of a configuration, not yet compiled.

    Args:
        config: the resolved configuration.
        record_set: gives the class list and the number of training samples (`training_records`).
        weights_file: whether a file in ``backbone.weights`` is read; not needed where a checkpoint follows.

    Raises:
        ValueError: unknown backbone, method or option (the message suggests the nearest), images mixed or cut into
            crops for a method that takes each for one sample, or no candidate sets for one that learns from them.
    """
    arguments = config.method.arguments
    methods.check_options(config.method.name, arguments)
    cls = methods.get(config.method.name)
    if cls.uses_sample_table:
        arguments["num_samples"] = record_set.split(config.data.train_split).num_examples
    if config.data.ten_crop is not None and "crops" in methods.options(config.method.name):
        arguments.setdefault("crops", CROPS)
    weights = config.backbone.weights
    if weights != "imagenet" and not weights_file:  # Keras builds some networks differently for ImageNet weights
        weights = None
    backbone = build_backbone(config.backbone.name, config.data.image_size, weights, **config.backbone.options)
    backbone.pretrained = config.backbone.weights is not None  # also where the checkpoint has them
    model = cls(backbone, record_set.class_names, name=config.method.name, **arguments)
    if config.data.ten_crop is not None and not model.accepts_crops:
        raise TrainingError(
            f"data.ten_crop: {config.method.name} keeps something for every sample or compares the samples of a batch, "
            "so ten rows of a batch cannot be one sample; drop ten_crop"
        )
    if model.uses_candidates and config.data.candidates is None:
        raise TrainingError(
            f"data.candidates: {config.method.name} learns from candidate sets; name a sidecar made by "
            "fer-tfrecords add-candidates"
        )
    if config.data.augmentation.mixes_samples and not model.accepts_mixed_samples:
        options = " with these options" if cls.accepts_mixed_samples else ""
        raise TrainingError(
            f"data.augmentation: {config.method.name}{options} takes every image for one sample with one label, so it "
            "cannot learn from mixed images; drop mix_up, cut_mix and FourierMix"
        )
    return model


def train(
    config: Config,
    *,
    resume: bool | None = None,
    overwrite: bool = False,
    console: "Console | None" = None,
    callbacks: "Sequence[keras.callbacks.Callback]" = (),
) -> "Path":
    """Trains, or continues to train, and judges the best and the last epoch.

    Args:
        config: the resolved configuration.
        resume: True: there must be an interrupted run to continue; False: there must be none; None: continue one
            if it is there.
        overwrite: start anew even if the run folder holds another or a finished run.
        console: where progress is shown; None = silent.
        callbacks: further Keras callbacks; they run before the epoch is recorded.

    Returns:
        The run folder.

    Raises:
        TrainingError: the folder holds a finished run, or one of another configuration.
        KeyboardInterrupt: after Ctrl-C; every finished epoch is kept.

    Example:
        >>> train(load_config("configs/ldlva/ferplus_fer_mini.yaml"))  # doctest: +SKIP
    """
    if config.pretraining is not None:
        raise TrainingError("pretraining: this is a configuration for fer-keras pretrain; drop the section to train")
    folder = RunFolder(f"{config.output_dir}/{config.name}")
    prepare_folder(folder, config, resume, overwrite)
    model = run_epochs(config, folder, build_method, console, callbacks)
    uncertainties = model.uncertainties()
    if uncertainties is not None:
        np.save(folder.path / "uncertainties.npy", uncertainties, allow_pickle=False)
    judge(config, folder, console)
    return folder.path


def run_epochs(
    config: Config,
    folder: RunFolder,
    build: "Callable[..., keras.Model]",
    console: "Console | None" = None,
    callbacks: "Sequence[keras.callbacks.Callback]" = (),
) -> keras.Model:
    """The epochs of a run, from the first or from where it stopped, recorded in its folder.

    Args:
        config: the resolved configuration.
        folder: made by `prepare_folder`.
        build: makes the model: ``build(config, record_set, weights_file)``, as `build_method`.
        console, callbacks: as for `train`.

    Returns:
        The model after the last epoch; stored as ``weights/last.keras``.

    Raises:
        TrainingError: the loss is not finite, or there are fewer devices than wanted.
        KeyboardInterrupt: after Ctrl-C; every finished epoch is kept.
    """
    keras.utils.set_random_seed(config.seed)
    if config.training.deterministic:
        tf.config.experimental.enable_op_determinism()
    policy = keras.dtype_policies.DTypePolicy("mixed_float16" if config.training.mixed_precision else "float32")
    with _default_policy(policy), _strategy(config.training.devices).scope():
        record_set = training_records(config.data)
        state = folder.load_state()
        model = build(config, record_set, weights_file=state is None)
        inputs = build_inputs(config, 0 if state is None else state["epoch"])
        if state is None:
            write_json(folder.pretraining, pretraining_record(config.backbone.name, config.backbone.weights))
            geometry = find_geometry(config.data.directory)
            if geometry is not None:  # predictions are made from crops like those of training
                geometry.write(folder.path / GEOMETRY_FILE)
        if config.training.ema is not None:
            average_statistics(model, config.training.ema)
        model.compile(
            build_optimizer(config.schedule, inputs.steps_per_epoch, config.training.ema),
            jit_compile=config.training.jit_compile,
            steps_per_execution=config.training.steps_per_execution,
        )
        monitor = config.training.monitor
        if config.data.validation_split is None:
            monitor = monitor.removeprefix("val_")
        recorder = Recorder(folder, monitor, config.training.early_stopping)
        done = recorder.restore(model)
        if done < config.schedule.epochs and not _stopped_early(recorder):
            _fit(config, model, inputs, recorder, done, console, callbacks)
        save_model(model, folder, "last")
    return model


def _fit(config: Config, model, inputs: Inputs, recorder: Recorder, done: int, console, further) -> None:
    if console is not None:
        verb = f"continuing after epoch {done}" if done else "training"
        console.print(
            f"{verb}: {model.name}, {config.backbone.name}, {model.count_params():,} parameters, "
            f"{inputs.steps_per_epoch} steps an epoch -> {recorder.folder.path}"
        )
    callbacks = [keras.callbacks.TensorBoard(str(recorder.folder.tensorboard), write_graph=False), *further, recorder]
    if model.training_set_pass is not None:
        callbacks.insert(0, methods.TrainingSetPass(*second_pass(config, model.training_set_pass, done)))
    if config.training.ema is not None:
        callbacks.insert(0, keras.callbacks.SwapEMAWeights())
    try:
        model.fit(
            inputs.training,
            epochs=config.schedule.epochs,
            initial_epoch=done,
            steps_per_epoch=inputs.steps_per_epoch,
            validation_data=inputs.validation,
            callbacks=callbacks,
            shuffle=False,  # the dataset is shuffled already
            verbose=0 if console is None else (1 if console.is_terminal else 2),
        )
    except KeyboardInterrupt:
        if console is not None:
            finished = recorder.state["epoch"]
            console.print(f"stopped after epoch {finished}; the same command continues from there")
        raise
    except tf.errors.InvalidArgumentError as error:
        if "NaN or infinite" not in error.message:
            raise
        reason = next(line for line in error.message.splitlines() if "NaN or infinite" in line)
        raise TrainingError(f"{reason.partition(' : ')[0]} (epoch {recorder.state['epoch'] + 1})") from error


def average_statistics(model: keras.Model, decay: float) -> None:
    """Lets BatchNorm average its statistics as slowly as the optimizer averages the weights.

    Averaged weights are judged with the statistics that BatchNorm keeps; where these follow the last hundred steps and
    the weights are those of the last thousand, the two do not fit. Training itself uses the batches' own statistics.

    Args:
        model: not yet traced.
        decay: of the average of the weights.
    """
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = max(layer.momentum, decay)


def prepare_folder(folder: RunFolder, config: Config, resume: bool | None, overwrite: bool) -> None:
    """Makes the folder of a run, or makes sure that it holds this very run, unfinished.

    Args:
        folder: of the run.
        config, resume, overwrite: as for `train`.

    Raises:
        TrainingError: the folder holds a finished run, or one of another configuration, or `resume` does not hold.
    """
    text = dump_config(config)
    if overwrite or not folder.config.is_file():
        if resume:
            raise TrainingError(f"{folder.path}: there is no run to resume")
        for file in (folder.metrics, folder.checkpoints / "state.json"):
            file.unlink(missing_ok=True)
        folder.create(text)
        return
    if folder.finished:
        raise TrainingError(
            f"{folder.path}: this run is finished; choose another --name, or start anew with --overwrite"
        )
    if resume is False:
        raise TrainingError(f"{folder.path}: holds an unfinished run; continue it with --resume, or use --overwrite")
    if load_config(folder.config) != config:
        raise TrainingError(
            f"{folder.path}: holds an unfinished run of another configuration (compare {folder.config}); "
            "choose another --name, or start anew with --overwrite"
        )


def _stopped_early(recorder: Recorder) -> bool:
    state, patience = recorder.state, recorder.patience
    return patience is not None and bool(state["epoch"]) and state["epoch"] - state["best_epoch"] >= patience


@contextlib.contextmanager
def _default_policy(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _strategy(devices: int) -> tf.distribute.Strategy:
    if devices == 1:
        return tf.distribute.get_strategy()
    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    present = tf.config.list_logical_devices(kind)
    if len(present) < devices:
        raise TrainingError(f"training.devices: {devices} wanted, but there are {len(present)} {kind}s")
    return tf.distribute.MirroredStrategy([device.name for device in present[:devices]])
