"""Drawn faces per second: drawing alone, drawing with encoding and writing, and the whole command.

    python benchmarks/synthetic_speed.py

Drawing is measured on one thread and on all cores; writing goes through the writer of every record set (PNG, shards,
checksums, metadata); the command's time includes its start. Every figure is the best of the rounds: what else runs on
the machine makes it slower, never faster. Processor time is stored beside it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from common import store
from rich.console import Console
from rich.table import Table

from fer_keras.data.synthetic import SyntheticFaces
from tfrecords_tools.importers.synthetic import Synthetic
from tfrecords_tools.writer import WriteOptions, write_record_set

BATCH = 128


def draw(faces: SyntheticFaces, count: int, threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda start: faces.sample("train", range(start, start + BATCH)).images, range(0, count, BATCH)))


def write(faces: SyntheticFaces, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_record_set(Synthetic(faces, {"train": count}), Path(folder) / "set", WriteOptions(num_shards=8))


def command(size: int, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        splits = ["--train", count, "--validation", 0, "--test", 0]
        words = ["synthetic", "--out", f"{folder}/set", "--size", size, *splits]
        argv = [str(Path(sys.executable).parent / "fer-tfrecords"), *map(str, words)]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measure(work: Callable[[], None], count: int, rounds: int) -> dict[str, float]:
    """The best round's images per second, and processor milliseconds per image, children included."""
    walls, processors = [], []
    for _ in range(rounds):
        before, started = os.times(), time.perf_counter()
        work()
        walls.append(time.perf_counter() - started)
        processors.append(sum(os.times()[:4]) - sum(before[:4]))
    return {
        "images_per_second": round(count / min(walls), 1),
        "processor_milliseconds_per_image": round(1e3 * min(processors) / count, 3),
    }


def row(size: int, arguments, cores: int) -> dict:
    """All measurements at one size."""
    count = max(BATCH, round(arguments.count * (64 / size) ** 2 / BATCH) * BATCH)
    faces = SyntheticFaces(0, size)
    write(faces, BATCH)  # what is imported late is imported now
    work = {
        "draw_1_thread": lambda: draw(faces, count, 1),
        f"draw_{cores}_threads": lambda: draw(faces, count, cores),
        "draw_encode_write": lambda: write(faces, count),
        "command": lambda: command(size, count),
    }
    measured = {name: measure(function, count, arguments.rounds) for name, function in work.items()}
    return {"size": size, "images": count, **measured}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[48, 64, 112, 224])
    parser.add_argument("--count", type=int, default=4096, help="images at 64 pixels; as many pixels at other sizes")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    cores = os.cpu_count() or 1
    rows = [row(size, arguments, cores) for size in arguments.sizes]
    load = round(os.getloadavg()[0], 2)
    print(store("synthetic_speed", {"rounds": arguments.rounds, "load_average": load, "rows": rows}))
    names = [name for name in rows[0] if name not in ("size", "images")]
    table = Table("size", "images", *names, title="drawn faces, images/s")
    for found in rows:
        rates = [f"{found[name]['images_per_second']:.0f}" for name in names]
        table.add_row(str(found["size"]), str(found["images"]), *rates)
    Console().print(table)


if __name__ == "__main__":
    main()
