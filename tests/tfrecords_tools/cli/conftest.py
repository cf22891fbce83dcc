"""Runs ``fer-tfrecords`` inside the test's process, on a copy of the tiny record set."""

import shutil
from types import SimpleNamespace

import pytest


@pytest.fixture
def tool(capsys, monkeypatch):
    """A function (*arguments) -> exit code, standard output and standard error."""
    from fer_keras.console import run
    from tfrecords_tools.cli.main import app

    monkeypatch.setenv("COLUMNS", "200")

    def invoke(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run(app, [str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return SimpleNamespace(code=ended.value.code or 0, out=captured.out, err=captured.err)

    return invoke


@pytest.fixture
def own_set(tiny_record_set, tmp_path):
    """A copy of the tiny record set that a test may change."""
    return shutil.copytree(tiny_record_set, tmp_path / "own")
