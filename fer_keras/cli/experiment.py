"""The options of the commands that turn an experiment file into a run folder."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fer_keras.config import Config

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="Experiment file (YAML).", show_default=False)
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key, e.g. schedule.epochs=3; may be repeated."),
]
Records = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Record set; short for --set data.directory=DIR.")
]
Name = Annotated[str | None, typer.Option("--name", help="Run folder; short for --set name=NAME.")]
Epochs = Annotated[int | None, typer.Option("--epochs", help="Short for --set schedule.epochs=N.")]
Resume = Annotated[
    bool | None,
    typer.Option(
        "--resume/--no-resume",
        help="--resume: there must be an unfinished run to go on with; --no-resume: there must be none. By default "
        "an unfinished run of the same configuration is continued.",
        show_default=False,
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Start anew, in place of the run that the folder holds.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print the resolved configuration and stop; nothing is trained.")
]


def check_resume(resume: bool | None, overwrite: bool) -> None:
    """Refuses the two options that contradict each other.

    Raises:
        typer.BadParameter: both were given.
    """
    if overwrite and resume:
        raise typer.BadParameter(
            "--resume continues a run, --overwrite replaces it; give one", param_hint="--overwrite"
        )


def resolve(
    config: Path, overrides: list[str] | None, data: Path | None, name: str | None, epochs: int | None
) -> "Config":
    """The configuration of a file and the options; the short forms win over ``--set``.

    Raises:
        ConfigError: as `fer_keras.config.load_config`.
    """
    from fer_keras.config import load_config

    shortcuts = {
        "data.directory": None if data is None else json.dumps(str(data)),
        "name": None if name is None else json.dumps(name),
        "schedule.epochs": epochs,
    }
    given = [f"{key}={value}" for key, value in shortcuts.items() if value is not None]
    return load_config(config, [*(overrides or []), *given])
