import html.parser
import json
import re

import numpy as np
import pytest

from fer_keras.evaluation.report import ReportError, write_report


@pytest.fixture(scope="module")
def run(make_evaluation, tmp_path_factory):
    """A run folder as training leaves it: configuration, results, best and last evaluated on the test split."""
    folder = tmp_path_factory.mktemp("runs") / "ldlva <b>"
    best, last = make_evaluation(seed=1), make_evaluation(seed=2, model="runs/a/weights/last.keras")
    best.write(folder / "evaluation-test", best.keep(np.arange(60) > 4))
    last.write(folder / "evaluation-test-last")
    (folder / "config.yaml").write_text("name: a & b\nmethod: {name: ldlva}\n")
    (folder / "results.csv").write_text("epoch,loss,val_loss,val_accuracy\n0,1.5,1.6,\n1,1.25,1.5,0.625\n")
    return folder, best, last


def cells(text: str, row: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"<tr><td>{row}"))
    return re.findall("<td>(.*?)</td>", line)[1:]


def test_best_and_last_stand_side_by_side(run):
    folder, best, last = run
    text = write_report(folder).read_text()
    headings = re.findall("<th>(test, .*?)</th>", text)
    assert headings == ["test, best", "test, best, without 5 excluded", "test, last"]
    expected = [best.metrics["brier"], best.keep(np.arange(60) > 4).metrics["brier"], last.metrics["brier"]]
    assert cells(text, "Brier score") == [f"{value:.4f}" for value in expected]
    assert f"<b>{best.metrics['macro_f1']:.2%}</b>" in text
    happiness = best.per_class[1]
    assert cells(text, "happiness")[:2] == [f"{happiness.precision:.2%}", f"{happiness.recall:.2%}"]


def test_it_is_one_file_that_refers_to_no_other(run):
    text = write_report(run[0]).read_text()
    sources = re.findall('src="(.*?)"', text)
    assert len(sources) == 5 and all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"https?://|<script|<link|@import|url\(", text)
    assert (run[0] / "results.png").is_file()


def test_every_tag_is_closed_in_order(run):
    class Checker(html.parser.HTMLParser):
        def __init__(self):
            super().__init__()
            self.open: list[str] = []
            self.seen: set[str] = set()

        def handle_starttag(self, tag, attrs):
            self.seen.add(tag)
            if tag not in ("meta", "img"):
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    checker = Checker()
    checker.feed(write_report(run[0]).read_text())
    checker.close()
    assert checker.open == [] and {"table", "details", "section", "img"} <= checker.seen


def test_texts_are_escaped_and_the_configuration_is_shown(run):
    text = write_report(run[0]).read_text()
    assert "ldlva &lt;b&gt;" in text and "<b>ldlva" not in text and "ldlva <b>" not in text
    assert "name: a &amp; b\nmethod: {name: ldlva}" in text


def test_every_epoch_is_listed(run):
    text = write_report(run[0]).read_text()
    assert "<td>0</td><td>1.5</td><td>1.6</td><td>-</td>" in text
    assert "<td>1</td><td>1.25</td><td>1.5</td><td>0.625</td>" in text


def test_a_run_that_has_only_begun_has_a_report(tmp_path):
    (tmp_path / "config.yaml").write_text("name: a\n")
    text = write_report(tmp_path).read_text()
    assert "not evaluated yet" in text and "name: a" in text and "<img" not in text


def test_an_evaluation_of_distributions_only_is_shown(make_evaluation, softmax_rows, tmp_path):
    evaluation = make_evaluation(samples=4, y_true=np.full(4, -1), distribution=softmax_rows(9, 4))
    evaluation.write(tmp_path / "evaluation-test")
    text = write_report(tmp_path).read_text()
    assert cells(text, "Chebyshev") == [f"{evaluation.metrics['chebyshev']:.4f}"]
    assert "accuracy" not in text and "precision" not in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not readable as metrics"),
        ("[1]", "not readable as metrics"),
        (json.dumps({"model": "a", "split": "test"}), "metrics, per_class missing"),
    ],
)
def test_damaged_metrics_are_named(tmp_path, content, message):
    (tmp_path / "evaluation-test").mkdir()
    (tmp_path / "evaluation-test" / "metrics.json").write_text(content)
    with pytest.raises(ReportError, match=rf"metrics\.json: .*{message}.*evaluate again"):
        write_report(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(ReportError, match="not a run folder"):
        write_report(tmp_path)
