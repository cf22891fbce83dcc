"""The typed schema of an experiment: one model per section of the YAML file.

Every field states in its description what it does; `docs/configuration.md` is checked against this file.
Values are strict (``"3"`` is not a number) and the models are frozen: a resolved configuration does not change.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from fer_keras.config.augmentation import Augmentation, StrongAugmentation
from fer_keras.config.section import Names, Numbers, Section, Size, Text


class Unlabelled(Section):
    """The unlabelled images beside every batch of labelled ones, for methods that learn from them."""

    batch_size: int = Field(64, ge=1, le=65536, description="unlabelled images in a step")
    strong: StrongAugmentation = Field(
        default_factory=StrongAugmentation,
        description="random changes of the strongly augmented view; the weak views have those of data.augmentation",
    )


class Source(Section):
    """A further record set that is learnt from together with the first, and what lies beside it."""

    directory: Text = Field(description="folder of the record set; it must have the same classes")
    train_split: Text | None = Field("train", description="split that is learnt from; null = tested on only")
    validation_split: Text | None = Field(
        None, description="split that selects the best epoch too; null = the first set's alone"
    )
    test_split: Text | None = Field(None, description="split that is read once, after training; null = none")
    noisy_labels: Text | None = Field(None, description="sidecar whose labels replace those of the training split")
    neighbors: Text | Names | None = Field(None, description="sidecar of nearest neighbours within this set")
    label_sources: Text | None = Field(None, description="sidecar of labels from several sources")
    valence_arousal: Text | None = Field(None, description="sidecar whose positions replace those of the records")
    candidates: Text | None = Field(None, description="sidecar of candidate sets")

    @property
    def name(self) -> str:
        """The name of the folder; results on this set are called by it."""
        return self.directory.rstrip("/").rpartition("/")[2]


class Data(Section):
    """The record set, its splits, and how batches are made of it."""

    directory: Text = Field("data/ferplus", description="folder of the record set (made by fer-tfrecords)")
    train_split: Text = Field("train", description="split that is learnt from")
    validation_split: Text | None = Field(
        "validation", description='split that selects the best epoch; null = none, "best" is then "last"'
    )
    test_split: Text | None = Field(None, description="split that is read once, after training; null = none")
    image_size: Size = Field((48, 48), description="[height, width] in pixels that images are resized to")
    ten_crop: Size | None = Field(
        None,
        description="[height, width] that images are resized to before ten crops of image_size are cut from each: "
        "corners, centre, and those mirrored; null = one view",
    )
    batch_size: int = Field(64, ge=1, le=65536, description="images in a batch")
    cache: bool = Field(True, description="keep the decoded training images in memory")
    targets: Literal["labels", "votes"] = Field(
        "labels", description="learn from the label, or from the annotators' votes as a distribution"
    )
    noisy_labels: Text | None = Field(None, description="sidecar whose labels replace those of the training split")
    labelled: Text | None = Field(
        None,
        description="sidecar that says which training samples keep their labels (fer-tfrecords add-labelled-subset)",
    )
    unlabelled: Unlabelled = Field(
        default_factory=Unlabelled, description="batches of the images without a label, for methods that use them"
    )
    steps_per_epoch: int | None = Field(
        None,
        ge=1,
        description="batches that count as an epoch; null = as many as the training samples fill (the unlabelled ones, "
        "for methods that use them)",
    )
    class_weights: Literal["none", "balanced"] = Field(
        "none", description="balanced: samples of rare classes weigh more, so that all classes weigh the same"
    )
    sampler: Literal["shuffle", "class_aware", "balanced"] = Field(
        "shuffle",
        description="class_aware: two samples of every class in every batch; balanced: an epoch has as many samples "
        "of each class as the rarest has, others every time",
    )
    neighbors: Text | Names | None = Field(
        None, description="sidecar of nearest neighbours, or a list of them, for methods that use them"
    )
    label_sources: Text | None = Field(
        None,
        description="sidecar of labels from several sources, for methods that learn how each errs; by_set: every "
        "record set of joint is a source",
    )
    valence_arousal: Text | None = Field(
        None, description="sidecar whose positions replace those of the records, for methods that learn them"
    )
    candidates: Text | None = Field(
        None, description="sidecar of candidate sets, for methods that learn from votes or sets of labels"
    )
    augmentation: Augmentation = Field(default_factory=Augmentation, description="random changes of training images")
    joint: Annotated[tuple[Source, ...], Field(strict=False)] = Field(
        (), description="further record sets to learn from at the same time, a list; data: [first, second] is the same"
    )

    @property
    def sources(self) -> tuple[Self | Source, ...]:
        """This record set and those of `joint`; all have the fields of `Source` but ``name``."""
        return (self, *self.joint)

    @property
    def training_sources(self) -> tuple[Self | Source, ...]:
        """Those of `sources` that are learnt from."""
        return tuple(source for source in self.sources if source.train_split is not None)

    @model_validator(mode="after")
    def _joint(self) -> Self:
        names = [source.name for source in self.joint]
        if len(set(names)) < len(names):
            raise ValueError(f"joint: folders should have different names, not {', '.join(names)}")
        if len({source.neighbors is None for source in self.training_sources}) > 1:
            raise ValueError("joint: every record set that is learnt from should have neighbors, or none")
        if len({source.candidates is None for source in self.training_sources}) > 1:
            raise ValueError("joint: every record set that is learnt from should have candidates, or none")
        if self.joint and self.targets == "votes" and any(source.noisy_labels for source in self.sources):
            raise ValueError("targets: votes would give away the true labels behind noisy_labels; drop one of the two")
        return self

    @model_validator(mode="after")
    def _splits(self) -> Self:
        splits = [split for split in (self.train_split, self.validation_split, self.test_split) if split is not None]
        if len(set(splits)) < len(splits):
            raise ValueError(
                "train_split, validation_split and test_split should be three different splits "
                "(cut one from the training data with fer-tfrecords split)"
            )
        if self.targets == "votes" and self.noisy_labels is not None:
            raise ValueError("targets: votes would give away the true labels behind noisy_labels; drop one of the two")
        if self.neighbors is not None and self.augmentation.mixes_samples:
            raise ValueError(
                "an image mixed with others has no neighbours: drop neighbors, or mix_up, cut_mix and FourierMix"
            )
        if self.candidates is not None and self.augmentation.mixes_samples:
            raise ValueError(
                "an image mixed with others has no candidate set: drop candidates, or mix_up, cut_mix and FourierMix"
            )
        if self.ten_crop is not None:
            if self.ten_crop[0] < self.image_size[0] or self.ten_crop[1] < self.image_size[1]:
                raise ValueError(f"ten_crop {list(self.ten_crop)} should not be smaller than image_size")
            if self.neighbors is not None:
                raise ValueError("a crop has no neighbours: drop neighbors or ten_crop")
        return self


class Backbone(Section):
    """The feature extractor."""

    name: Text = Field("fer_mini", description="name of the backbone")
    weights: Text | None = Field(None, description='weights file, "imagenet" (keras.applications only) or null')
    options: dict[str, JsonValue] = Field(default_factory=dict, description="arguments of the backbone's builder")


class MethodSection(Section):
    """The training method: its name, and the arguments of its class, which the class itself checks."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]

    name: Text = Field("cross_entropy", description="name of the method; every other key is an argument of its class")

    @property
    def arguments(self) -> dict[str, Any]:
        """Every key but ``name``: the arguments for the method's class."""
        return dict(self.__pydantic_extra__)


class Schedule(Section):
    """How long, and with which steps."""

    epochs: int = Field(40, ge=1, description="passes over the training split")
    optimizer: Literal["adam", "adamw", "sgd"] = Field("adam", description="optimizer of the weights")
    learning_rate: float = Field(0.001, gt=0, description="learning rate after the warm-up")
    weight_decay: float = Field(0.0, ge=0, description="weight decay of the optimizer")
    decay_biases: bool = Field(
        True,
        description="false: weight decay spares biases, and scales and offsets of normalisations, as usual for "
        "transformers",
    )
    beta_2: float = Field(0.999, gt=0, lt=1, description="adam, adamw: decay of the average of squared gradients")
    decay: Literal["constant", "cosine", "exponential", "piecewise"] = Field(
        "cosine", description="how the learning rate falls over the epochs"
    )
    decay_rate: float = Field(
        0.9, gt=0, le=1, description="exponential: factor per epoch; piecewise: factor per boundary"
    )
    boundaries: Numbers = Field((), description="piecewise: epochs at which the rate is multiplied by decay_rate")
    warmup_epochs: float = Field(0.0, ge=0, description="epochs over which the learning rate rises from 0")
    clip_norm: float | None = Field(None, gt=0, description="largest norm of the whole gradient; null = no limit")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs should be below epochs ({self.epochs})")
        if any(epoch <= 0 for epoch in self.boundaries) or list(self.boundaries) != sorted(set(self.boundaries)):
            raise ValueError("boundaries should be rising epochs above 0")
        if self.decay == "piecewise" and not self.boundaries:
            raise ValueError("boundaries should name at least one epoch where decay is piecewise")
        return self


class Training(Section):
    """How the steps are run."""

    deterministic: bool = Field(True, description="the same run twice gives the same weights, bit for bit")
    mixed_precision: bool = Field(False, description="compute in float16, keep weights in float32")
    jit_compile: bool = Field(False, description="compile the training step with XLA; needs deterministic: false")
    steps_per_execution: int = Field(1, ge=1, description="training steps per call of the graph")
    ema: float | None = Field(
        None, gt=0, lt=1, description='decay of an average of the weights, used for validation and "best"; null = off'
    )
    monitor: Text = Field("val_accuracy", description="logged value that selects the best epoch")
    early_stopping: int | None = Field(
        None, ge=1, description="epochs without a better monitor after which training stops; null = never"
    )
    devices: int = Field(1, ge=1, le=256, description="replicas of tf.distribute.MirroredStrategy")

    @model_validator(mode="after")
    def _compiled(self) -> Self:
        if self.jit_compile and self.deterministic:
            raise ValueError("jit_compile: Keras does not use XLA under deterministic ops; set deterministic: false")
        return self


class Pretraining(Section):
    """Masked autoencoding (He et al., 2022): the size of what is dropped afterwards, and how much is hidden."""

    mask_ratio: float = Field(0.75, gt=0, lt=1, description="share of the patches that is hidden")
    decoder_width: int = Field(128, ge=4, description="width of the decoder, a multiple of 4 and of its heads")
    decoder_depth: int = Field(4, ge=1, description="transformer blocks of the decoder")
    decoder_heads: int = Field(4, ge=1, description="attention heads of the decoder")


class Config(Section):
    """A whole experiment. Read one with `fer_keras.config.load_config`, or build it in Python.

    Example:
        >>> Config(seed=1, schedule=Schedule(epochs=3)).schedule.epochs
        3
    """

    name: str = Field("run", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="the run's folder in output_dir")
    seed: int = Field(0, ge=0, lt=2**31, description="seed of weights, shuffling and augmentation")
    output_dir: Text = Field("runs", description="where run folders are put")
    data: Data = Field(default_factory=Data, description="the record set and its batches")
    backbone: Backbone = Field(default_factory=Backbone, description="the feature extractor")
    method: MethodSection = Field(default_factory=MethodSection, description="the training method")
    schedule: Schedule = Field(default_factory=Schedule, description="epochs, optimizer, learning rate")
    training: Training = Field(default_factory=Training, description="how the steps are run")
    pretraining: Pretraining | None = Field(
        None, description="masked autoencoding, for fer-keras pretrain, in place of a method; null = a run of train"
    )

    @model_validator(mode="after")
    def _selection(self) -> Self:
        if self.training.early_stopping is not None and self.data.validation_split is None:
            raise ValueError("training.early_stopping needs a data.validation_split")
        return self

    @model_validator(mode="after")
    def _without_labels(self) -> Self:
        if self.pretraining is not None:
            defaults = Data()
            for key in ("targets", "class_weights", "sampler", "ten_crop", "labelled"):
                if getattr(self.data, key) != getattr(defaults, key):
                    raise ValueError(f"pretraining looks at single images without their labels; drop data.{key}")
            for source in self.data.sources:
                for key in ("noisy_labels", "neighbors", "label_sources", "valence_arousal", "candidates"):
                    if getattr(source, key) is not None:
                        raise ValueError(f"pretraining looks at single images without their labels; drop data.{key}")
            if self.training.monitor not in ("val_loss", "loss"):
                raise ValueError("pretraining knows no accuracy: training.monitor should be val_loss or loss")
        return self


def section_keys(model: type[BaseModel] = Config, prefix: str = "") -> dict[str, Any]:
    """All keys of the schema, dotted, with the field's metadata.

    Args:
        model: the section to start at.
        prefix: dotted name of that section, with its last dot.

    Returns:
        Dotted key -> ``pydantic.fields.FieldInfo``; a section comes before its keys.

    Example:
        >>> section_keys()["schedule.epochs"].default
        40
    """
    keys: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        keys[prefix + name] = field
        section = section_of(field.annotation)
        if section is not None:
            keys.update(section_keys(section, f"{prefix}{name}."))
    return keys


def section_of(annotation: Any) -> type[Section] | None:
    """The section class that a field's type is or may be, or None for a plain value."""
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, Section):
            return candidate
    return None
