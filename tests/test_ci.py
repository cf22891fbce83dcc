import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / ".ci" / "run"


def command() -> str:
    """The command at the end of the script."""
    return SCRIPT.read_text().splitlines()[-1]


@pytest.fixture
def clone(tmp_path):
    """A copy of the script in an empty project, and a PATH on which python3, npm and apt-get only note how they are
    called.

    Returns:
        A function (does python3 have venv?, is there a browser?) -> (exit code, noted calls).
    """
    project, programs, notes = tmp_path / "project", tmp_path / "programs", tmp_path / "notes"
    (project / ".ci").mkdir(parents=True)
    programs.mkdir()
    shutil.copy(SCRIPT, project / ".ci" / "run")

    def program(path: Path, body: str = "") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/bash\necho "${{0##*/}} $*" >> {notes}\n{body}\n')
        path.chmod(0o755)

    def run(has_venv: bool, tests_pass: bool = True, has_browser: bool = True) -> tuple[int, list[str]]:
        works = programs / "venv_works"
        if has_venv:
            works.touch()
        make = f"[[ -e {works} ]] || exit 1\nmkdir -p $3/bin && cp {programs}/made/* $3/bin/"
        program(programs / "python3", make)
        program(programs / "apt-get", f"[[ $1 != install ]] || touch {works}")
        program(programs / "sudo", '"$@"')
        program(programs / "npm")
        if has_browser:
            program(programs / "chromium")
        program(programs / "made" / "pip")
        program(programs / "made" / "python", "exit 0" if tests_pass else "exit 7")
        system = programs / "system"
        for name in ("bash", "cat", "chmod", "cp", "dirname", "id", "mkdir", "mktemp", "rm", "touch"):
            (system / name).parent.mkdir(exist_ok=True)
            if not (system / name).is_symlink():
                (system / name).symlink_to(shutil.which(name))
        environment = {**os.environ, "PATH": f"{programs}:{system}", "CI": "true"}
        done = subprocess.run([project / ".ci" / "run"], env=environment, cwd="/", stdin=subprocess.DEVNULL)
        return done.returncode, [line for line in notes.read_text().splitlines() if not line.startswith("sudo")]

    return run


def test_the_readme_gives_the_command_that_the_script_runs():
    assert command().endswith("-m pytest -n 2")
    assert command() in (ROOT / "README.md").read_text()


def test_the_script_can_be_run():
    assert os.access(SCRIPT, os.X_OK)


def test_environment_installation_and_tests_in_this_order(clone):
    code, calls = clone(has_venv=True)
    assert code == 0
    assert calls[-3:] == ["python3 -m venv .venv", "pip install -e .[dev,serve]", "python -m pytest -n 2"]
    assert not any(call.startswith("apt-get") for call in calls)


def test_venv_is_installed_where_it_is_missing(clone):
    code, calls = clone(has_venv=False)
    assert code == 0
    installs = [call for call in calls if call.startswith("apt-get")]
    assert installs == ["apt-get update -qq", "apt-get install -y -qq python3-venv"]
    assert calls.index(installs[-1]) < calls.index("python3 -m venv .venv")


def test_a_browser_is_installed_where_it_is_missing(clone):
    code, calls = clone(has_venv=True, has_browser=False)
    assert code == 0
    assert [call for call in calls if call.startswith("apt-get")][1] == "apt-get install -y -qq chromium"
    assert any(call.startswith("npm ci --prefix tests/integration/browser") for call in calls)


def test_failing_tests_fail_the_script(clone):
    assert clone(has_venv=True, tests_pass=False)[0] == 7
