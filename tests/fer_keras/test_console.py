import re
import signal
import subprocess
import sys
import time

import pytest
import typer

from fer_keras.console import error_line, run


def make_app(error: BaseException | None) -> typer.Typer:
    app = typer.Typer()

    @app.command()
    def command(count: int = 1) -> None:
        print(f"count {count}")
        if error is not None:
            raise error

    return app


def outcome(app: typer.Typer, capsys, *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        run(app, list(args))
    out, err = capsys.readouterr()
    return exit_.value.code or 0, out, err


def test_success_exits_zero(capsys):
    assert outcome(make_app(None), capsys, "--count", "3") == (0, "count 3\n", "")


def test_value_error_becomes_one_line_on_stderr(capsys):
    code, out, err = outcome(make_app(ValueError("a.csv, row 7: no [label]\nadd one")), capsys)
    assert (code, out, err) == (1, "count 1\n", "error: a.csv, row 7: no [label] add one\n")


def test_a_long_message_is_not_wrapped(capsys):
    message = "word " * 80 + "end"
    assert outcome(make_app(ValueError(message)), capsys)[2] == f"error: {message}\n"


def test_os_error_names_file_and_reason(capsys):
    code, _, err = outcome(make_app(PermissionError(13, "Permission denied", "/a/b")), capsys)
    assert (code, err) == (1, "error: /a/b: Permission denied\n")


def test_other_errors_are_faults_and_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        run(make_app(ZeroDivisionError()), [])


def test_traceback_on_request(monkeypatch):
    monkeypatch.setenv("FER_KERAS_TRACEBACK", "1")
    with pytest.raises(ValueError, match="bad"):
        run(make_app(ValueError("bad")), [])


def test_wrong_usage_exits_two(capsys):
    code, _, err = outcome(make_app(None), capsys, "--count", "many")
    assert code == 2
    assert "--count" in err and "Traceback" not in err


def test_help_calls_the_program_by_the_apps_name(capsys):
    app = make_app(None)
    assert "shown-name" not in outcome(app, capsys, "--help")[1]
    app.info.name = "shown-name"
    assert "Usage: shown-name" in outcome(app, capsys, "--help")[1]


def test_interrupt_exits_130(capsys):
    assert outcome(make_app(KeyboardInterrupt()), capsys)[0] == 130


def test_real_interrupt_leaves_no_traceback(tmp_path):
    script = tmp_path / "app.py"
    script.write_text(
        "import time, typer\n"
        "from fer_keras.console import run\n"
        "app = typer.Typer()\n"
        "@app.command()\n"
        "def wait():\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(30)\n"
        "run(app)\n"
    )
    process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert not re.search("Traceback", err)


@pytest.mark.parametrize(
    ("error", "line"),
    [(ValueError(), "ValueError"), (OSError("plain"), "plain"), (ValueError("  a \n\n b "), "a b")],
)
def test_error_line(error, line):
    assert error_line(error) == line
