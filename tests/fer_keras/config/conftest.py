import textwrap

import pytest


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a YAML file into the (current) temporary folder and returns its relative path."""
    monkeypatch.chdir(tmp_path)

    def _write(name: str, text: str) -> str:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return name

    return _write
