import io
import json
import os

import pytest
from rich.console import Console

from fer_keras.comparison.plan import ComparisonError, plan
from fer_keras.comparison.runner import log_file, run_cells, seconds_of


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=200)


@pytest.mark.parametrize("jobs", [1, 3])
def test_trains_every_cell_once(experiments, trainer, tmp_path, console, jobs):
    cells = plan(experiments("cross_entropy", "scn"), [0, 1], tmp_path / "out")
    assert run_cells(cells, tmp_path / "out", jobs, console) == {}
    ran = trainer()
    assert sorted(call[:2] for call in ran) == sorted([cell.label, str(cell.seed)] for cell in cells)
    assert {call[2] for call in ran} == {"-" if jobs == 1 else str(max(1, os.cpu_count() // jobs))}
    assert all(taken > 0 for taken in seconds_of(cells, tmp_path / "out").values())
    assert "scn seed 1: finished" in console.file.getvalue()

    run_cells(cells, tmp_path / "out", jobs, console)
    assert len(trainer()) == 4
    assert "4 of 4 runs are finished already" in console.file.getvalue()


def test_a_longer_comparison_takes_over_what_is_there(experiments, trainer, tmp_path, console):
    files = experiments("cross_entropy", "scn")
    run_cells(plan(files[:1], [0], tmp_path / "out"), tmp_path / "out", 1, console)
    run_cells(plan(files, [0, 1], tmp_path / "out"), tmp_path / "out", 1, console)
    assert [call[:2] for call in trainer()] == [
        ["cross_entropy", "0"], ["scn", "0"], ["cross_entropy", "1"], ["scn", "1"],
    ]  # fmt: skip


def test_a_cell_that_fails_does_not_stop_the_others(experiments, trainer, tmp_path, console, monkeypatch):
    monkeypatch.setenv("FAILS", "cross_entropy")
    cells = plan(experiments("cross_entropy", "scn"), [0], tmp_path / "out")
    failed = run_cells(cells, tmp_path / "out", 1, console)
    assert failed == {"cross_entropy seed 0": f"error: the loss is NaN ({log_file(cells[0], tmp_path / 'out')})"}
    assert "failed: error: the loss is NaN" in console.file.getvalue()
    monkeypatch.delenv("FAILS")
    assert run_cells(cells, tmp_path / "out", 1, console) == {}
    assert [call[0] for call in trainer()] == ["cross_entropy", "scn", "cross_entropy"]


def test_an_interruption_ends_it_and_the_same_call_goes_on(experiments, trainer, tmp_path, console, monkeypatch):
    monkeypatch.setenv("INTERRUPTED", "scn")
    cells = plan(experiments("cross_entropy", "scn", "rul"), [0], tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        run_cells(cells, tmp_path / "out", 1, console)
    monkeypatch.delenv("INTERRUPTED")
    run_cells(cells, tmp_path / "out", 1, console)
    assert [call[0] for call in trainer()] == ["cross_entropy", "scn", "scn", "rul"]


def test_refuses_a_folder_with_another_comparison(experiments, trainer, tmp_path, console):
    files = experiments("scn")
    run_cells(plan(files, [0], tmp_path / "out"), tmp_path / "out", 1, console)
    other = plan(files, [0], tmp_path / "out", overrides=["schedule.epochs=9"])
    with pytest.raises(ComparisonError, match="another configuration"):
        run_cells(other, tmp_path / "out", 1, console)
    assert len(trainer()) == 1


def test_seconds_of_several_attempts_are_added(experiments, trainer, tmp_path, console):
    cells = plan(experiments("scn"), [0], tmp_path / "out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "seconds.json").write_text(json.dumps({"scn/0": 100.0}))
    run_cells(cells, tmp_path / "out", 1, console)
    assert seconds_of(cells, tmp_path / "out")[cells[0]] > 100
