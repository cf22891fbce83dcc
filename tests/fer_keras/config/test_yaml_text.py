import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_keras.config.yaml_text import YamlError, read_yaml, write_yaml

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)


@settings(deadline=None)
@given(documents)
def test_what_is_written_reads_back(document):
    assert read_yaml(write_yaml(document)) == document


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["{}", "{:e}", "{:.3g}", "{:E}"]))
def test_numbers_read_as_python_reads_them(number, form):
    text = form.format(number)
    assert read_yaml(text) == float(text)


@pytest.mark.parametrize("text", ["1e-3", "1E-3", "+1e-3", "1.e-3", "10.0e-4"])
def test_exponents_are_numbers(text):
    assert read_yaml(text) == 0.001


@pytest.mark.parametrize("text", ["2024-01-01", "e3", "1e", ".e3", "1e-3x"])
def test_text_stays_text(text):
    assert read_yaml(text) == text


def test_text_that_looks_like_something_else_is_quoted():
    for text in ("1e-3", "\x85", "\u2028 \ufeff", "é", "3", "null", "true", "2024-01-01", "", "a: b", "# no comment"):
        assert read_yaml(write_yaml([text])) == [text]


def test_tuples_become_lists_on_one_line():
    assert write_yaml({"size": (48, 64)}) == "size: [48, 64]\n"


def test_anchors_and_merge_keys_work():
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n"
    assert read_yaml(text) == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", "line 5, column 3: the key 'c' stands here twice"),
        ("a: 1\na: 1\n", "line 2, column 1: the key 'a' stands here twice"),
        ("a: 1\n2: 1\n", "line 2, column 1: the key 2 should be text"),
        ("on: 1\n", "the key True should be text"),
        ("a: [1, 2\nb: 3\n", "line 2"),
        ("a: 'open\n", "line 2"),
        ("a: !!python/object/apply:os.system ['true']\n", "line 1, column 4: could not determine a constructor"),
        ("a: !!set {x}\n", "could not determine a constructor"),
        ("a: !!timestamp 2024-01-01\n", "could not determine a constructor"),
        ("a: 1\n---\nb: 2\n", "but found another document"),
        ("a: &x [*x]\n", "not a plain document"),
        ("a: &x {b: *x}\n", "not a plain document"),
        ("[" * 5000, "nested too deeply"),
        ("a: \x07\n", "unacceptable character"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(YamlError) as error:
        read_yaml(text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_dates_are_never_made():
    assert not isinstance(read_yaml("day: 2024-01-01")["day"], datetime.date)
