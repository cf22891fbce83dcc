import pytest

from fer_keras.files import replacing, write_csv, write_json


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old")
    with pytest.raises(RuntimeError), replacing(file) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"] and file.read_text() == "old"


def test_the_file_appears_only_when_the_block_ends(tmp_path):
    file = tmp_path / "new" / "a.txt"
    with replacing(file) as temporary:
        temporary.write_text("whole")
        assert not file.exists()
    assert [path.name for path in file.parent.iterdir()] == ["a.txt"] and file.read_text() == "whole"


def test_json_refuses_nan(tmp_path):
    with pytest.raises(ValueError):
        write_json(tmp_path / "a.json", {"accuracy": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_csv_quotes_what_needs_it_and_leaves_none_empty(tmp_path):
    write_csv(tmp_path / "a.csv", ["source", "value"], [["a,b", None], ['say "x"', 1]])
    assert (tmp_path / "a.csv").read_text() == 'source,value\n"a,b",\n"say ""x""",1\n'
