"""How long exported models take for one image, on a chosen number of threads.

The times are taken in a process of its own for each number of threads: TensorFlow's pool is fixed when it starts, and
threads that have just worked on something else disturb what is timed in their process.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fer_keras.inference.classifier import Classifier

LATENCY_RUNS = 100


def measure_latencies(
    files: Sequence[Path], images: np.ndarray, threads: int, runs: int = LATENCY_RUNS
) -> list[tuple[float, float]]:
    """Times models on `threads` threads.

    Args:
        files: exported models of any format that `fer_keras.inference.loading.load_classifier` reads.
        images: (N, H, W, 3) uint8, taken in turn.
        threads: of the runtime of each format; for Keras and SavedModel, of TensorFlow's pools.
        runs: calls that are timed.

    Returns:
        For each file the median and the 95th percentile over the calls, in milliseconds.

    Raises:
        RuntimeError: the process failed; the message is the end of what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "images.npy"
        np.save(file, images[:runs])
        request = {"files": [str(Path(path).resolve()) for path in files], "images": str(file)}
        request |= {"threads": threads, "runs": runs}
        done = subprocess.run(
            [sys.executable, "-m", "fer_keras.export.latency", json.dumps(request)],
            capture_output=True,
            text=True,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},  # the exports are compared on the processor
        )
        if done.returncode:
            raise RuntimeError(f"timing of the exports failed: {done.stderr.strip()[-500:]}")
        return [(p50, p95) for p50, p95 in json.loads(done.stdout.splitlines()[-1])]


def measure_latency(classifier: Classifier, images: np.ndarray, runs: int = LATENCY_RUNS) -> tuple[float, float]:
    """Time of one image at a time: median and 95th percentile over `runs` calls, in milliseconds.

    Args:
        classifier: the model; five calls warm it up first.
        images: (N, H, W, 3) uint8, taken in turn.
        runs: number of calls timed.
    """
    for index in range(5):
        classifier.predict_proba(images[index % len(images)][None])
    times = np.empty(runs)
    for index in range(runs):
        image = images[index % len(images)][None]
        start = time.perf_counter()
        classifier.predict_proba(image)
        times[index] = time.perf_counter() - start
    p50, p95 = np.percentile(times, [50, 95]) * 1e3
    return float(p50), float(p95)


def _main(files: list[str], images: str, threads: int, runs: int) -> None:
    """Prints the times of `files`; those that need TensorFlow come last, when its threads can disturb no other."""
    from fer_keras.inference.loading import load_classifier

    arrays, times = np.load(images), {}
    needs_tensorflow = {file: Path(file).is_dir() or file.endswith(".keras") for file in files}
    for file in sorted(files, key=needs_tensorflow.get):
        if needs_tensorflow[file] and "tensorflow" not in sys.modules:
            import tensorflow as tf

            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        times[file] = measure_latency(load_classifier(file, num_threads=threads), arrays, runs)
    print(json.dumps([times[file] for file in files]))


if __name__ == "__main__":
    _main(**json.loads(sys.argv[1]))
