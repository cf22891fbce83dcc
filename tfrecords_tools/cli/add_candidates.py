"""``fer-tfrecords add-candidates``: for each sample the classes that may be its truth, as a sidecar."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np

    from fer_keras.data.records import RecordSet


class Rule(StrEnum):
    """Where candidate sets come from."""

    positive = "positive"
    share = "share"
    mass = "mass"
    uniform = "uniform"
    class_dependent = "class-dependent"
    model = "model"


OF_VOTES, SYNTHETIC = (Rule.positive, Rule.share, Rule.mass), (Rule.uniform, Rule.class_dependent)
_ECHO = "its classes echo the labels that it learned"


def add_candidates(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The record set.")],
    rule: Annotated[
        Rule,
        typer.Option(
            help="Votes: positive (every class with a vote), share (classes with a share of 0.3), mass (the fewest "
            "classes with 0.75 of the votes). The label and: uniform (any class at random), class-dependent (a class "
            "it is confused with, at random), model (a model's most probable classes).",
            show_default=False,
        ),
    ],
    split: Annotated[str, typer.Option(help="The split.")] = "train",
    name: Annotated[
        str | None, typer.Option(help="The sidecar becomes candidates-NAME; by the rule if left out.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Share or mass; 0.3, 0.75 or, with the rule model, 0.9 if left out.")
    ] = None,
    max_candidates: Annotated[int, typer.Option(min=1, help="Most classes, with the rules mass and model.")] = 3,
    min_votes: Annotated[float, typer.Option(min=0, help="Classes with fewer votes are dropped first.")] = 2.0,
    min_share: Annotated[
        float, typer.Option(min=0, max=1, help="Classes with a smaller share of the votes are dropped first.")
    ] = 0.0,
    equal: Annotated[bool, typer.Option("--equal", help="Votes decide the set only; its classes count alike.")] = False,
    rate: Annotated[
        float | None, typer.Option(help="uniform: probability of each other class; class-dependent: factor of it.")
    ] = None,
    confusion: Annotated[
        Path | None, typer.Option(metavar="FILE", help="class-dependent: P(taken for | label), csv, YAML or npy.")
    ] = None,
    probabilities: Annotated[
        str | None,
        typer.Option(
            metavar="SIDECAR", help="class-dependent, model: a model's probabilities, such as teacher_probs-NAME."
        ),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="MODEL", help="model: a run folder or model file that is run on the images.")
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(metavar="SIDECAR", help="Labels in place of the records' (noisy_labels-...); no votes."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of uniform and class-dependent.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Images at a time, with --model.")] = 256,
) -> None:
    """Store candidate sets: the classes that may be the truth of a sample, with a share for each.

    Writes `candidates-NAME` (samples x classes, rows sum to 1, 0 outside of the set); name it in the configuration as
    `data.candidates`. Votes that are shares (RAF-DB) do not tell a single vote: drop rare classes with --min-share.

    Example: fer-tfrecords add-candidates data/ferplus --split train --rule mass
    """
    _check_options(rule, rate, confusion, probabilities, model, labels)
    if name is not None and (Path(name).name != name or not name):
        raise typer.BadParameter("a name, not a path", param_hint="--name")

    from fer_keras.data import candidates as sets
    from fer_keras.data.label_sources import RECORDS, gather_label_sources
    from fer_keras.data.records import RecordSet, read_columns
    from fer_keras.data.sidecars import write_sidecar

    record_set = RecordSet.load(directory)
    given = gather_label_sources(record_set, split, [labels or RECORDS])[:, 0]
    stamp: dict = {"rule": rule.value, "labels": labels}
    default = rule.value
    if rule in OF_VOTES:
        options = {"threshold": threshold, "max_candidates": max_candidates, "min_votes": min_votes,
                   "min_share": min_share, "uniform": equal}  # fmt: skip
        votes = read_columns(record_set, split, ["votes"])["votes"]
        _check_votes(votes, min_share, directory)
        candidates = sets.vote_candidates(votes, given, rule.value, **options)
        stamp |= options
    elif rule in SYNTHETIC:
        if rule is Rule.uniform:
            ambiguity = sets.uniform_ambiguity(len(record_set.class_names), rate)
        else:
            matrix = _confusion(record_set, split, given, confusion, probabilities)
            ambiguity = sets.confused_ambiguity(matrix, rate)
        candidates = sets.synthetic_candidates(given, ambiguity, seed)
        stamp |= {"rate": rate, "seed": seed, "ambiguity": ambiguity.tolist()}
        default = f"{rule.value}-{rate:g}-seed{seed}"
    else:
        probs, source, made = _probabilities(record_set, split, probabilities, model, batch_size)
        mass = 0.9 if threshold is None else threshold
        candidates = sets.model_candidates(given, probs, mass, max_candidates)
        stamp |= {"mass": mass, "max_candidates": max_candidates, **made}
        default = f"model-{source}"
    _print_sizes(candidates, given)
    typer.echo(f"wrote {write_sidecar(record_set, split, f'candidates-{name or default}', candidates, **stamp)}")


def _check_options(rule: Rule, rate, confusion, probabilities, model, labels) -> None:
    """Refuses options that do not go with the rule."""
    if rule in SYNTHETIC and rate is None:
        raise typer.BadParameter(f"--rule {rule} needs --rate, for example 0.1", param_hint="--rate")
    if rule not in SYNTHETIC and rate is not None:
        raise typer.BadParameter(f"--rule {rule} draws nothing at random", param_hint="--rate")
    if rule in OF_VOTES and labels is not None:
        raise typer.BadParameter(
            f"--rule {rule} reads votes, which would give away the true labels", param_hint="--labels"
        )
    if rule is Rule.class_dependent and (confusion is None) == (probabilities is None):
        raise typer.BadParameter("give one of --confusion and --probabilities", param_hint="--confusion")
    if rule is Rule.model and (model is None) == (probabilities is None):
        raise typer.BadParameter("give one of --model and --probabilities", param_hint="--model")
    if confusion is not None and rule is not Rule.class_dependent:
        raise typer.BadParameter(f"--rule {rule} reads no confusions", param_hint="--confusion")
    if model is not None and rule is not Rule.model:
        raise typer.BadParameter(f"--rule {rule} runs no model", param_hint="--model")
    if probabilities is not None and rule not in (Rule.class_dependent, Rule.model):
        raise typer.BadParameter(f"--rule {rule} reads no probabilities", param_hint="--probabilities")


def _check_votes(votes: "np.ndarray", min_share: float, directory: Path) -> None:
    """Tells of votes that the rules cannot use as they are meant."""
    total = votes.sum(axis=1)
    missing = int((total == 0).sum())
    if missing == len(votes):
        from fer_keras.data.candidates import CandidateError

        raise CandidateError(f"{directory}: not one sample has votes; use --rule uniform, class-dependent or model")
    if missing:
        typer.echo(f"{missing:,} samples have no votes: their label is their only candidate")
    if total.max() <= 1.001 and min_share == 0:
        typer.echo("votes are shares, which do not tell a single vote: drop rare classes with --min-share 0.05")


def _confusion(record_set: "RecordSet", split: str, labels, file: Path | None, probabilities: str | None):
    """(C, C): from a file, or what a model of the sidecar takes each label for."""
    import numpy as np

    from fer_keras.data.candidates import confusion_of
    from fer_keras.data.transition import read_transition

    if file is None:
        return confusion_of(labels, _probabilities(record_set, split, probabilities, None, 0)[0])
    if file.suffix.lower() == ".npy":
        matrix = np.load(file, allow_pickle=False)
        if matrix.shape != (len(record_set.class_names),) * 2:
            raise ValueError(f"{file}: shape {matrix.shape}; wanted a row and a column for each class of the set")
        return matrix
    return read_transition(file, record_set.class_names)


def _probabilities(record_set: "RecordSet", split: str, sidecar: str | None, model: Path | None, batch_size: int):
    """(N, C) of a sidecar or a model, what it is called, and what the stamp says of it."""
    from fer_keras.data.sidecars import SidecarError, read_sidecar, read_stamp

    if model is not None:
        from fer_keras.data.label_sources import predicted_probabilities
        from tfrecords_tools.cli.running import run_model

        probs, made = run_model(predicted_probabilities, record_set, split, model, batch_size, _ECHO)
        return probs, made["name"], {"model": made}
    probs = read_sidecar(record_set, split, sidecar)
    if probs.shape != (record_set.split(split).num_examples, len(record_set.class_names)):
        raise SidecarError(f"{sidecar}: shape {probs.shape}; wanted probabilities (samples, classes)")
    stamp = {"probabilities": sidecar, "teacher": read_stamp(record_set, split, sidecar)}
    return probs, sidecar.removeprefix("teacher_probs-"), stamp


def _print_sizes(candidates: "np.ndarray", labels: "np.ndarray") -> None:
    import numpy as np

    sizes = (candidates > 0).sum(axis=1)
    counts = ", ".join(f"{size}: {count:,}" for size, count in enumerate(np.bincount(sizes)) if count)
    typer.echo(f"samples by the number of their candidates: {counts} (mean {sizes.mean():.2f})")
    known = labels >= 0
    if known.any():
        inside = candidates[known, labels[known]] > 0
        typer.echo(f"the label is among them for {inside.mean():.1%} of the labelled samples")
