"""Latency and training speed of backbones with an eight-class head, printed and stored as JSON.

    python benchmarks/backbone_latency.py
    python benchmarks/backbone_latency.py --backbones fer_mini mobilenetv2 --image-size 96

Latency is one float32 image in LiteRT on one and on two threads; training is Adam on batches of 64 in memory.
"""

import argparse
import json
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from common import store

from fer_keras.backbones import build_backbone

BATCH = 64
CLASSES = 8


def classifier(name: str, image_size: tuple[int, int]) -> keras.Model:
    backbone = build_backbone(name, image_size)
    features = keras.layers.GlobalAveragePooling2D()(backbone.output)
    return keras.Model(backbone.input, keras.layers.Dense(CLASSES)(features))


def litert_latency(model_content: bytes, threads: int, runs: int) -> dict[str, float]:
    """Percentiles of the time of one invocation, in milliseconds."""
    interpreter = Interpreter(model_content=model_content, num_threads=threads)
    interpreter.allocate_tensors()
    details = interpreter.get_input_details()[0]
    interpreter.set_tensor(details["index"], np.full(details["shape"], 128, np.float32))
    for _ in range(50):
        interpreter.invoke()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        interpreter.invoke()
        times.append(time.perf_counter() - start)
    return {f"p{percent}": round(float(np.percentile(times, percent)) * 1e3, 3) for percent in (50, 95)}


def training_speed(model: keras.Model, image_size: tuple[int, int], steps: int) -> float:
    """Images per second of ``fit``."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (BATCH, *image_size, 3), dtype=np.uint8)
    labels = generator.integers(0, CLASSES, BATCH)
    data = tf.data.Dataset.from_tensors((images, labels)).repeat()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(data, steps_per_epoch=10, verbose=0)
    start = time.perf_counter()
    model.fit(data, steps_per_epoch=steps, verbose=0)
    return BATCH * steps / (time.perf_counter() - start)


def measure(name: str, image_size: tuple[int, int], runs: int, steps: int) -> dict:
    model = classifier(name, image_size)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    content = converter.convert()
    return {
        "backbone": name,
        "image_size": list(image_size),
        "parameters": model.count_params(),
        "float16_megabytes": round(2 * model.count_params() / 1e6, 3),
        "litert_float32_milliseconds": {
            f"threads_{threads}": litert_latency(content, threads, runs) for threads in (1, 2)
        },
        "training_images_per_second": round(training_speed(model, image_size, steps), 1),
        "load_average": round(os.getloadavg()[0], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbones", nargs="+", default=["fer_mini"])
    parser.add_argument("--image-size", type=int, default=48)
    parser.add_argument("--runs", type=int, default=1000, help="LiteRT invocations timed")
    parser.add_argument("--steps", type=int, default=100, help="training steps timed")
    arguments = parser.parse_args()
    size = (arguments.image_size, arguments.image_size)
    results = [measure(name, size, arguments.runs, arguments.steps) for name in arguments.backbones]
    print(json.dumps(results, indent=1))
    print("stored in", store("backbone_latency", {"results": results}))


if __name__ == "__main__":
    main()
