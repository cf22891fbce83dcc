import sys
import types
from unittest.mock import ANY, create_autospec

import pytest

from fer_keras.cli.main import app
from fer_keras.config import Config, load_config
from fer_keras.console import run


@pytest.fixture
def config_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "exp.yaml"
    file.write_text("name: exp\nmethod: {name: ldlva, neighbor_mode: bank}\n")
    return file.name


@pytest.fixture
def calls(monkeypatch):
    """Puts a trainer in place that only notes how it is called."""
    noted = []
    stand_in = types.ModuleType("fer_keras.training")
    stand_in.train = lambda config, **options: noted.append((config, options))
    monkeypatch.setitem(sys.modules, "fer_keras.training", stand_in)
    return noted


def outcome(capsys, *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        run(app, ["train", *args])
    return exit_.value.code or 0, *capsys.readouterr()


def test_dry_run_prints_the_resolved_configuration(config_file, capsys, calls, tmp_path):
    code, out, err = outcome(capsys, "--config", config_file, "--set", "schedule.learning_rate=5e-4", "--dry-run")
    assert (code, err, calls) == (0, "", [])
    printed = tmp_path / "printed.yaml"
    printed.write_text(out)
    assert load_config(printed) == load_config(config_file, ["schedule.learning_rate=5e-4"])


def test_shortcuts_win_over_set_and_are_taken_literally(config_file, capsys, calls):
    code, _, err = outcome(
        capsys, "-c", config_file, "--set", "name=other", "--name", "2024", "--epochs", "3", "--data", "a: [b"
    )
    assert (code, err) == (0, "")
    config = calls[0][0]
    assert isinstance(config, Config)
    assert (config.name, config.schedule.epochs, config.data.directory) == ("2024", 3, "a: [b")
    assert config.method.arguments == {"neighbor_mode": "bank"}


@pytest.mark.parametrize(
    ("options", "resume", "overwrite"),
    [([], None, False), (["--resume"], True, False), (["--no-resume"], False, False), (["--overwrite"], None, True)],
)
def test_resume_options(config_file, capsys, calls, options, resume, overwrite):
    assert outcome(capsys, "--config", config_file, *options)[0] == 0
    assert [(call[1]["resume"], call[1]["overwrite"]) for call in calls] == [(resume, overwrite)]


def test_the_real_trainer_takes_these_arguments(config_file, capsys, monkeypatch):
    import fer_keras.training

    trainer = create_autospec(fer_keras.training.train)
    monkeypatch.setattr(fer_keras.training, "train", trainer)
    assert outcome(capsys, "--config", config_file)[0] == 0
    trainer.assert_called_once_with(load_config(config_file), resume=None, overwrite=False, console=ANY)


def test_resume_and_overwrite_exclude_each_other(config_file, capsys, calls):
    code, _, err = outcome(capsys, "--config", config_file, "--resume", "--overwrite")
    assert (code, calls) == (2, [])
    assert "--overwrite" in err


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["--config", "gone.yaml"], "error: gone.yaml: no such file\n"),
        (
            ["--config", "exp.yaml", "--set", "schedule.epoch=3"],
            "error: --set schedule.epoch=3: unknown key schedule.epoch; did you mean schedule.epochs?\n",
        ),
        (
            ["--config", "exp.yaml", "--epochs", "0"],
            "error: --set schedule.epochs=0: schedule.epochs: 0 is not allowed; it should be greater than or equal to "
            "1 (passes over the training split)\n",
        ),
        (
            ["--config", "exp.yaml", "--set", "x"],
            "error: --set x: should be key=value, for example schedule.epochs=3\n",
        ),
    ],
)
def test_mistakes_are_one_line(config_file, capsys, calls, args, line):
    assert outcome(capsys, *args) == (1, "", line)
    assert calls == []
