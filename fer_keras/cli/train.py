"""``fer-keras train``: an experiment file becomes a run folder."""

import json
from pathlib import Path
from typing import Annotated

import typer


def train(
    config: Annotated[
        Path, typer.Option("--config", "-c", metavar="FILE", help="Experiment file (YAML).", show_default=False)
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a key, e.g. schedule.epochs=3; may be repeated."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Record set; short for --set data.directory=DIR.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Run folder; short for --set name=NAME.")] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Short for --set schedule.epochs=N.")] = None,
    resume: Annotated[
        bool | None,
        typer.Option(
            "--resume/--no-resume",
            help="--resume: there must be an unfinished run to go on with; --no-resume: there must be none. By default "
            "an unfinished run of the same configuration is continued.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start anew, in place of the run that the folder holds.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the resolved configuration and stop; nothing is trained.")
    ] = False,
) -> None:
    """Train a classifier and write a run folder: weights, logs, figures, the resolved configuration."""
    if overwrite and resume:
        raise typer.BadParameter(
            "--resume continues a run, --overwrite replaces it; give one", param_hint="--overwrite"
        )

    from fer_keras.config import dump_config, load_config

    shortcuts = {
        "data.directory": None if data is None else json.dumps(str(data)),
        "name": None if name is None else json.dumps(name),
        "schedule.epochs": epochs,
    }
    given = [f"{key}={value}" for key, value in shortcuts.items() if value is not None]
    resolved = load_config(config, [*(overrides or []), *given])
    if dry_run:
        typer.echo(dump_config(resolved), nl=False)
        return

    from rich.console import Console

    from fer_keras.training import train as train_config

    train_config(resolved, resume=resume, overwrite=overwrite, console=Console())
