import pytest

from fer_keras.files import replacing, replacing_folder, write_csv, write_json


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


def test_a_folder_takes_the_place_of_the_former_one(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old.txt").write_text("old")
    with replacing_folder(tmp_path / "a") as temporary:
        (temporary / "new.txt").write_text("new")
        assert (tmp_path / "a" / "old.txt").exists()
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["a", "a/new.txt"]


def test_a_folder_stays_where_the_block_fails(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(RuntimeError), replacing_folder(tmp_path / "a") as temporary:
        (temporary / "half.txt").write_text("half")
        raise RuntimeError
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["a"]
