import functools
import importlib
import inspect
import json
import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
METHODS = (ROOT / "docs" / "methods.md").read_text()


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page):
    named = re.findall(r"`((?:configs|tests|benchmarks)/[\w./-]+\.\w+)`", page.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


def resolve(name: str) -> object:
    """What ``room.module.attribute...``, relative to fer_keras, stands for."""
    room, module, *attributes = name.split(".")
    return functools.reduce(getattr, attributes, importlib.import_module(f"fer_keras.{room}.{module}"))


NAMES = sorted(set(re.findall(r"`((?:backbones|data|layers|losses|methods)\.\w+\.\w+(?:\.\w+)?)`", METHODS)))


def test_every_equation_has_its_code():
    assert len(NAMES) >= 12
    for name in NAMES:
        assert callable(resolve(name)), name


@pytest.mark.parametrize(
    "method",
    [
        "ada_cm",
        "ada_df",
        "ambiguity_distillation",
        "center_loss",
        "cross_entropy",
        "dmue",
        "eac",
        "fixmatch",
        "island_loss",
        "latent_truth",
        "ldl_alsg",
        "ldlva",
        "leaf",
        "pll",
        "rul",
        "scn",
        "valence_arousal",
        "votes",
    ],
)
def test_every_argument_of_a_method_is_listed_with_its_default(method):
    from fer_keras import methods

    section = METHODS.partition(f"\n## {method}\n")[2].partition("\n## ")[0].partition("### Arguments")[2]
    listed = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", section, flags=re.MULTILINE))
    parameters = inspect.signature(methods.get(method).__init__).parameters.values()
    expected = {
        parameter.name: json.dumps(parameter.default).strip('"')
        for parameter in parameters
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name != "num_samples"
    }
    assert listed == expected


def shell_lines() -> list[str]:
    """Every command line of ours in a code block of the documentation, and in the first lines of the presets."""
    blocks = [
        line
        for page in [ROOT / "README.md", *PAGES]
        for block in re.findall(r"^```\w*\n(.*?)^```", page.read_text(), flags=re.DOTALL | re.MULTILINE)
        for line in block.replace("\\\n", " ").splitlines()
    ]
    headers = [
        line.lstrip("# ").removeprefix("run: ")
        for file in (ROOT / "configs").rglob("*.yaml")
        for line in file.read_text().splitlines()
        if line.startswith("#")
    ]
    lines = [re.sub(r"\s#.*", "", line.removeprefix("$ ")).strip() for line in blocks + headers]
    return sorted({line for line in lines if re.match(r"fer-(keras|tfrecords) [a-z]", line)})


def test_there_are_command_lines():
    assert len(shell_lines()) > 10


@pytest.mark.parametrize("line", shell_lines())
def test_commands_and_options_exist(line):
    from fer_keras.cli.main import app as fer_keras_app
    from tfrecords_tools.cli.main import app as tools_app

    program, command, *words = shlex.split(line)
    commands = get_command({"fer-keras": fer_keras_app, "fer-tfrecords": tools_app}[program]).commands
    assert command in commands
    known = {
        option for parameter in commands[command].params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    unknown = {word.partition("=")[0] for word in words if word.startswith("--")} - known - {"--help"}
    assert unknown == set()
