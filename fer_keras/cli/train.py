"""``fer-keras train``: an experiment file becomes a run folder."""

import typer

from fer_keras.cli.experiment import (
    ConfigFile,
    DryRun,
    Epochs,
    Name,
    Overrides,
    Overwrite,
    Records,
    Resume,
    check_resume,
    resolve,
)


def train(
    config: ConfigFile,
    overrides: Overrides = None,
    data: Records = None,
    name: Name = None,
    epochs: Epochs = None,
    resume: Resume = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
) -> None:
    """Train a classifier and write a run folder: weights, logs, figures, the resolved configuration."""
    check_resume(resume, overwrite)
    resolved = resolve(config, overrides, data, name, epochs)
    if dry_run:
        from fer_keras.config import dump_config

        typer.echo(dump_config(resolved), nl=False)
        return

    from rich.console import Console

    from fer_keras.training import train as train_config

    train_config(resolved, resume=resume, overwrite=overwrite, console=Console())
