"""``fer-keras teach``: out-of-fold class probabilities for a training split."""

from pathlib import Path
from typing import Annotated

import typer


def teach(
    config: Annotated[
        Path, typer.Option("--config", "-c", metavar="FILE", help="Experiment file (YAML).", show_default=False)
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a key, e.g. schedule.epochs=10; may be repeated."),
    ] = None,
    folds: Annotated[int, typer.Option(min=2, max=20, help="Folds; each costs one training.")] = 2,
    name: Annotated[str, typer.Option(help="The sidecar is called teacher_probs-NAME.")] = "teacher",
) -> None:
    """Predict every training sample with a network that was trained without it.

    A source of valence and arousal where no independent expression model is at hand: the teacher learns from the
    run's own (noisy) labels, and no sample is predicted by a network that saw its label. Next:
    fer-tfrecords add-valence-arousal DIR --source teacher --probabilities teacher_probs-NAME
    """
    from rich.console import Console

    from fer_keras.config import load_config
    from fer_keras.training.teacher import write_teacher

    console = Console()
    path = write_teacher(load_config(config, overrides or []), folds, name, console)
    console.print(f"wrote {path}", soft_wrap=True)
