"""``fer-tfrecords``: data sets on disk become record sets.

A command ``a-b`` is the function ``a_b`` of the module ``tfrecords_tools.cli.a_b``.
"""

import importlib

import typer

from fer_keras.console import run

COMMANDS = (
    "fer2013",
    "ferplus",
    "rafdb",
    "affectnet",
    "sfew",
    "expw",
    "folder",
    "csv",
    "synthetic",
    "inspect",
    "verify",
    "split",
    "crop_geometry",
    "align",
    "add_noise",
    "add_valence_arousal",
    "add_neighbors",
    "add_label_sources",
    "add_labelled_subset",
    "add_candidates",
)

app = typer.Typer(
    name="fer-tfrecords",
    help="Turn data sets of facial expressions into record sets, and look after record sets.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


for _name in COMMANDS:
    _module = importlib.import_module(f"tfrecords_tools.cli.{_name}")
    app.command(_name.replace("_", "-"))(getattr(_module, _name))


def main() -> None:
    """Entry point."""
    run(app)


if __name__ == "__main__":  # python -m, where the entry points are not on the path
    main()
