import json

import pytest

from fer_keras.cli.main import app
from fer_keras.console import run


def outcome(capsys, *args) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        run(app, ["compare", *map(str, args)])
    return exit_.value.code or 0, *capsys.readouterr()


@pytest.fixture
def files(tmp_path):
    for method in ("cross_entropy", "scn"):
        (tmp_path / f"{method}.yaml").write_text(json.dumps({"method": {"name": method}}))
    return [tmp_path / "cross_entropy.yaml", tmp_path / "scn.yaml"]


@pytest.mark.parametrize("seeds", ["", "0,x", "-1"])
def test_refuses_seeds_that_are_no_numbers(files, tmp_path, capsys, seeds):
    code, _, err = outcome(capsys, *files, "--out", tmp_path / "out", f"--seeds={seeds}")
    assert code == 2
    assert "numbers with commas" in err


def test_says_that_nothing_is_finished(files, tmp_path, capsys):
    code, _, err = outcome(capsys, *files, "--out", tmp_path / "out", "--table-only")
    assert (code, err) == (1, f"error: {tmp_path / 'out'}: no run is finished yet\n")


def test_a_missing_file_is_named(tmp_path, capsys):
    code, _, err = outcome(capsys, tmp_path / "none.yaml", "--out", tmp_path / "out")
    assert (code, err) == (1, f"error: {tmp_path / 'none.yaml'}: no such file\n")
