"""The floors of docs/architecture.md, held by the imports as they are written (lazy ones included)."""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = {
    4: ("cli",),
    3: (
        "training",
        "evaluation",
        "comparison",
        "curation",
        "demo",
        "export",
        "inference",
        "pretraining",
        "quickstart",
        "reproduce",
        "serving",
    ),
    2: ("methods",),
    1: ("layers", "losses", "metrics", "backbones", "data", "faces"),
    0: ("emotions", "config", "console", "environment", "extras", "files", "keras_cv", "quiet"),
}
FLOOR = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
TOOLS_MAY_IMPORT = {
    "fer_keras",  # its __version__
    "fer_keras.console",
    "fer_keras.emotions",
    "fer_keras.files",
    "fer_keras.data.candidates",
    "fer_keras.data.label_sources",
    "fer_keras.data.labelled_subset",
    "fer_keras.data.neighbors",
    "fer_keras.data.noise",
    "fer_keras.data.records",
    "fer_keras.data.sidecars",
    "fer_keras.data.synthetic",
    "fer_keras.data.transition",
    "fer_keras.data.valence_arousal",
    "fer_keras.faces",
    "fer_keras.inference.image_files",
    "fer_keras.inference.loading",
    "fer_keras.inference.provenance",
}


def module_name(file: Path, root: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, module: str, is_package: bool = False) -> Iterator[str]:
    """The dotted names that a module imports; ``from a import b`` is ``a.b``, whether b is a module or not."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


def edges(package: str) -> Iterator[tuple[str, str]]:
    """(importing module, imported name) for every import of fer_keras or tfrecords_tools in a package."""
    for file in sorted((ROOT / package).rglob("*.py")):
        module = module_name(file, ROOT)
        for name in imports(file.read_text(), module, is_package=file.name == "__init__.py"):
            if name.split(".")[0] in ("fer_keras", "tfrecords_tools"):
                yield module, name


def room(name: str) -> str | None:
    """The room of a module of fer_keras; None for the package itself (``fer_keras``, ``fer_keras.__version__``)."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and not parts[1].startswith("__") else None


def room_edges() -> dict[tuple[str, str], str]:
    """(importing room, imported room) -> one module where it happens."""
    return {
        (room(module), room(name)): module
        for module, name in edges("fer_keras")
        if room(module) and room(name) and room(module) != room(name)
    }


def test_every_room_has_a_floor():
    rooms = {room(module_name(file, ROOT)) for file in (ROOT / "fer_keras").rglob("*.py")} - {None}
    assert rooms <= set(FLOOR)
    assert {"cli", "config", "data", "emotions"} <= rooms


def test_no_room_imports_from_a_floor_above():
    upward = {
        f"{module}: {importing} (floor {FLOOR[importing]}) imports {imported} (floor {FLOOR[imported]})"
        for (importing, imported), module in room_edges().items()
        if FLOOR[imported] > FLOOR[importing]
    }
    assert upward == set()


def test_rooms_of_one_floor_do_not_import_each_other_in_a_circle():
    sorter = graphlib.TopologicalSorter()
    for importing, imported in room_edges():
        sorter.add(importing, imported)
    sorter.prepare()  # raises CycleError, which names the rooms


def test_the_commands_are_imported_by_nobody():
    users = {module for module, name in edges("fer_keras") if room(name) == "cli" and room(module) != "cli"}
    assert users == set()


def test_the_library_does_not_need_the_tools():
    assert [edge for edge in edges("fer_keras") if edge[1].startswith("tfrecords_tools")] == []


def test_the_tools_import_only_the_records_and_what_derives_sidecars():
    found = {name for _, name in edges("tfrecords_tools") if name.startswith("fer_keras")}
    strays = {
        name
        for name in found
        if not any(name == allowed or name.startswith(f"{allowed}.") for allowed in TOOLS_MAY_IMPORT)
    }
    assert found and strays == set()


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import fer_keras.cli.main as m, os", ["fer_keras.cli.main", "os"]),
        ("from fer_keras import methods", ["fer_keras.methods"]),
        ("def f():\n    from fer_keras.cli import main", ["fer_keras.cli.main"]),
        ("from . import b", ["fer_keras.data.b"]),
        ("from .b import c", ["fer_keras.data.b.c"]),
        ("from ..methods import base", ["fer_keras.methods.base"]),
    ],
)
def test_imports_are_found_however_they_are_written(source, names):
    assert list(imports(source, "fer_keras.data.a")) == names
    assert list(imports(source, "fer_keras.data", is_package=True)) == names
