"""Fixtures for all tests: tiny data sets made on the spot, and the folders of the real data."""

import csv
import ctypes
import gc
import os
import subprocess
import sys
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:
    # A worker has about a core to itself: libraries that start a thread for every core only get in each other's way.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(variable, "1")

import numpy as np
import pytest
from PIL import Image

from fer_keras.emotions import CIRCUMPLEX, EMOTIONS

REPOSITORY = Path(__file__).resolve().parents[1]
FERPLUS_COLUMNS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)


def face(label: int, seed: int, side: int = 48) -> np.ndarray:
    """A (side, side, 3) uint8 image whose bars depend on the class, with noise that depends on the seed."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side
    angle = np.pi * label / len(EMOTIONS)
    bars = 128 + 90 * np.sin(2 * np.pi * 4 * (x * np.cos(angle) + y * np.sin(angle)))
    return np.clip(bars[..., None] + rng.normal(0, 20, (side, side, 3)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module", autouse=True)
def memory_given_back():
    """After each module: without it a process of the whole run holds gigabytes of graphs that nothing uses any more."""
    yield
    if keras := sys.modules.get("keras"):
        keras.utils.clear_session()
    gc.collect()
    gc.freeze()  # what is left stays to the end: not looked through again and again
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


@pytest.fixture(scope="session")
def make_face():
    """The function `face`: (label, seed, side=48) -> uint8 image."""
    return face


@pytest.fixture(scope="session")
def tiny_csv(tmp_path_factory) -> Path:
    """A csv table of 64 PNG images: path,label,split,valence,arousal,votes_<class>; eight classes."""
    root = tmp_path_factory.mktemp("tiny_csv")
    columns = ["path", "label", "split", "valence", "arousal", *(f"votes_{name}" for name in EMOTIONS)]
    rng = np.random.default_rng(0)
    with open(root / "tiny.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for index in range(64):
            label = index % len(EMOTIONS)
            split = "train" if index < 32 else "validation" if index < 48 else "test"
            path = f"{index:02d}.png"
            Image.fromarray(face(label, index)).save(root / path)
            votes = rng.multinomial(4, np.full(len(EMOTIONS), 1 / len(EMOTIONS)))
            votes[label] += 6
            valence, arousal = np.clip(CIRCUMPLEX[EMOTIONS[label]] + rng.normal(0, 0.05, 2), -1, 1).round(4)
            writer.writerow([path, EMOTIONS[label], split, valence, arousal, *votes])
    return root / "tiny.csv"


@pytest.fixture(scope="session")
def tiny_record_set(tiny_csv, tmp_path_factory) -> Path:
    """A record set of 32 train, 16 validation and 16 test images of 48x48, eight classes, with votes and VA."""
    from tfrecords_tools.importers.csv_table import CsvTable
    from tfrecords_tools.writer import WriteOptions, write_record_set

    directory = tmp_path_factory.mktemp("tiny_record_set") / "tiny"
    write_record_set(CsvTable(tiny_csv), directory, WriteOptions(num_shards=2))
    return directory


@pytest.fixture
def write_fer2013_csv(tmp_path):
    """A function (usages, name="fer2013.csv") -> path of a FER2013 csv with one row for each usage."""

    def write(usages: list[str], name: str = "fer2013.csv") -> Path:
        rows = [
            f"{index % 7},{' '.join(map(str, face(index % 7, index)[..., 0].ravel()))},{usage}"
            for index, usage in enumerate(usages)
        ]
        path = tmp_path / name
        path.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
        return path

    return write


@pytest.fixture
def tiny_fer2013_csv(write_fer2013_csv) -> Path:
    """A FER2013 csv with 12 Training, 4 PublicTest and 4 PrivateTest rows."""
    return write_fer2013_csv(["Training"] * 12 + ["PublicTest"] * 4 + ["PrivateTest"] * 4)


@pytest.fixture
def write_votes_csv(tmp_path):
    """A function (rows of (usage, ten votes in FER+'s order), name) -> path of a FER+ votes csv."""

    def write(rows: list[tuple[str, list[int]]], name: str = "fer2013new.csv") -> Path:
        path = tmp_path / name
        with open(path, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["Usage", "Image name", *FERPLUS_COLUMNS])
            writer.writerows([usage, f"fer{i:07d}.png", *votes] for i, (usage, votes) in enumerate(rows))
        return path

    return write


@pytest.fixture(scope="session")
def run_tool():
    """A function (*arguments) -> finished process of ``fer-tfrecords``, output as text."""

    def run(*arguments) -> subprocess.CompletedProcess:
        command = [sys.executable, "-c", "from tfrecords_tools.cli.main import main; main()", *map(str, arguments)]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)

    return run


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data; skips the test where it is absent."""
    folder = Path(os.environ.get("FER_KERAS_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "fer2013" / "fer2013new.csv").is_file():
        pytest.skip(f"no real data in {folder} (set FER_KERAS_DATA)")
    return folder


@pytest.fixture(scope="session")
def drawn_faces():
    """Four drawn faces, which detectors take for faces; (4, 224, 224, 3) uint8."""
    from fer_keras.data.synthetic import SyntheticFaces

    return SyntheticFaces(seed=0, size=224).sample("train", range(4)).images


@pytest.fixture(scope="session")
def photograph(drawn_faces):
    """A picture of three drawn faces of different sizes; (360, 760, 3) uint8."""
    import numpy as np
    from PIL import Image

    picture = Image.new("RGB", (760, 360), (150, 160, 170))
    for left, side, face in ((20, 224, 0), (270, 160, 1), (460, 280, 3)):
        picture.paste(Image.fromarray(drawn_faces[face]).resize((side, side)), (left, 40))
    return np.asarray(picture)
