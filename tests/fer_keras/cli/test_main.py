import re
import resource
import subprocess
import sys

import pytest

import fer_keras
from fer_keras.cli.main import app
from fer_keras.console import run

COMMANDS = ("train", "pretrain", "evaluate", "export", "predict", "demo", "serve")


def outcome(capsys, *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        run(app, args)
    out, err = (re.sub(r"\x1b\[[0-9;]*m", "", text) for text in capsys.readouterr())
    return exit_.value.code or 0, out, err


def test_help_lists_the_commands_and_shows_the_way(capsys):
    code, out, err = outcome(capsys, "--help")
    assert (code, err) == (0, "")
    for command in COMMANDS:
        assert re.search(rf"│ {command} ", out)
    assert "fer-keras train --config configs/ldlva/ferplus_fer_mini.yaml" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(capsys, command):
    code, out, err = outcome(capsys, command, "--help")
    assert (code, err) == (0, "")
    assert f"Usage: fer-keras {command}" in out
    assert "Example" in out


def test_version(capsys):
    assert outcome(capsys, "--version") == (0, f"fer-keras {fer_keras.__version__}\n", "")


def test_without_a_command_the_help_is_shown(capsys):
    code, out, _ = outcome(capsys)
    assert code == 2
    assert "Commands" in out


@pytest.mark.parametrize("args", [["trian"], ["train", "--config"], ["train", "--no-such-option"]])
def test_wrong_usage_exits_two_without_a_traceback(capsys, args):
    code, _, err = outcome(capsys, *args)
    assert code == 2
    assert "Error" in err and args[-1] in err and "Traceback" not in err


def test_a_misspelt_command_is_suggested(capsys):
    assert "train" in outcome(capsys, "trian")[2].partition("No such command")[2]


def test_importing_the_command_line_is_light():
    heavy = "{'tensorflow', 'keras', 'sklearn', 'matplotlib', 'numpy', 'pydantic', 'yaml'}"
    code = f"import sys, fer_keras.cli.main; print(sorted({heavy} & set(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output == "[]\n"


QUICK = ("train", "pretrain", "predict", "demo", "serve")


@pytest.mark.parametrize("args", [["--help"], *([command, "--help"] for command in QUICK)])
def test_help_is_quick(args):
    """Processor time, which other programs on the machine do not stretch; TensorFlow alone would take seconds."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", "from fer_keras.cli.main import main; main()", *args], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 1.0
