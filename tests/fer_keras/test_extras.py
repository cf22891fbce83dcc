import sys

import pytest

from fer_keras.extras import ExtraError, load_extra


def test_it_loads_a_module():
    assert load_extra("json.decoder", "some", "a test").JSONDecoder


def test_absent_it_is_one_line_with_the_command():
    with pytest.raises(ExtraError, match=r"^a test needs no_such_thing: pip install 'fer-keras\[some\]'$"):
        load_extra("no_such_thing.part", "some", "a test")


def test_broken_it_is_one_line_with_the_reason(tmp_path, monkeypatch):
    (tmp_path / "broken_extra.py").write_text("import no_such_part")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ExtraError, match=r"a test needs broken_extra, which cannot be imported: .*no_such_part"):
        load_extra("broken_extra", "some", "a test")
    assert "broken_extra" not in sys.modules
