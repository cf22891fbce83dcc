from unittest.mock import ANY, create_autospec

import pytest

from fer_keras.cli.main import app
from fer_keras.config import load_config
from fer_keras.console import run


@pytest.fixture
def config_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exp.yaml").write_text("name: exp\npretraining: {}\ntraining: {monitor: val_loss}\n")
    return "exp.yaml"


@pytest.fixture
def pretrainer(monkeypatch):
    """The real function's signature; it only notes how it is called."""
    import fer_keras.pretraining

    stand_in = create_autospec(fer_keras.pretraining.pretrain)
    monkeypatch.setattr(fer_keras.pretraining, "pretrain", stand_in)
    return stand_in


def outcome(capsys, *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        run(app, ["pretrain", *args])
    return exit_.value.code or 0, *capsys.readouterr()


def test_the_options_reach_the_configuration(config_file, capsys, pretrainer):
    args = ["-c", config_file, "--set", "pretraining.mask_ratio=0.5", "--data", "d", "--epochs", "3", "--name", "n"]
    assert outcome(capsys, *args, "--resume") == (0, "", "")
    overrides = ["pretraining.mask_ratio=0.5", "data.directory=d", "schedule.epochs=3", "name=n"]
    expected = load_config(config_file, overrides)
    pretrainer.assert_called_once_with(expected, resume=True, overwrite=False, console=ANY)


def test_resume_and_overwrite_exclude_each_other(config_file, capsys, pretrainer):
    code, _, err = outcome(capsys, "--config", config_file, "--resume", "--overwrite")
    assert code == 2 and "--overwrite" in err
    pretrainer.assert_not_called()


def test_mistakes_are_one_line(config_file, capsys):
    args = ("--config", config_file, "--set", "pretraining=null")
    code, out, err = outcome(capsys, *args)
    assert (code, out) == (1, "")
    assert err.startswith("error: pretraining: the configuration has no such section") and err.count("\n") == 1
