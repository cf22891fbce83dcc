from pathlib import Path

import pytest
import typer

from fer_keras.cli.split_argument import split_of


def test_the_last_colon_counts():
    assert split_of("C:/data/ferplus:train", "--test") == (Path("C:/data/ferplus"), "train")


@pytest.mark.parametrize("text", ["data/ferplus", ":train", "data/ferplus:", ""])
def test_other_forms_are_refused(text):
    with pytest.raises(typer.BadParameter, match="is not DIR:SPLIT") as refusal:
        split_of(text, "--statistics")
    assert refusal.value.param_hint == "--statistics"
