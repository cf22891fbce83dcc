"""From a path to a classifier, whatever the format."""

from pathlib import Path

from fer_keras.config import load_config
from fer_keras.evaluation.run_folder import run_folder
from fer_keras.inference.classifier import Classifier, ModelLoadError

FORMATS = "a run folder, a .keras file, a SavedModel folder, or a .tflite, .onnx or .xml (OpenVINO) file"


def load_classifier(path: str | Path, num_threads: int | None = None) -> Classifier:
    """Loads a model of any format that the library writes.

    Args:
        path: a run folder (its ``weights/best.keras``), a ``.keras`` file (a method or an inference model), a
            SavedModel folder (a version folder, or the folder of numbered versions: the highest is taken), or a
            ``.tflite``, ``.onnx`` or ``.xml`` file (for which TensorFlow is not imported).
        num_threads: threads of LiteRT, ONNX Runtime or OpenVINO; the other formats use TensorFlow's own pool.

    Returns:
        The classifier: ``class_names``, ``image_size``, ``predict_proba(images)``, ``has_valence_arousal``.

    Raises:
        ModelLoadError: no such path, not a model, a damaged model, or no class names.
        ExtraError: the package that runs this format is not installed.
        ClassListMismatchError: the model carries one class list and another lies beside it.

    Example:
        >>> load_classifier("no/such/model.keras")
        Traceback (most recent call last):
        ...
        fer_keras.inference.classifier.ModelLoadError: no/such/model.keras: no such file or folder
    """
    path = Path(path)
    if not path.exists():
        raise ModelLoadError(f"{path}: no such file or folder")
    if path.is_dir():
        return _load_folder(path)
    if path.suffix == ".keras":
        from fer_keras.inference.keras_classifier import KerasClassifier

        return KerasClassifier.load(path)
    if path.suffix == ".tflite":
        from fer_keras.inference.litert_classifier import LiteRTClassifier

        return LiteRTClassifier(path, num_threads)
    if path.suffix == ".onnx":
        from fer_keras.inference.onnx_classifier import OnnxClassifier

        return OnnxClassifier(path, num_threads)
    if path.suffix == ".xml":
        from fer_keras.inference.openvino_classifier import OpenVINOClassifier

        return OpenVINOClassifier(path, num_threads)
    raise ModelLoadError(f"{path}: not a model format; give {FORMATS}")


def load_as_judged(path: str | Path) -> Classifier:
    """`load_classifier`, with ten crops of each image where the model belongs to a run that was trained with them.

    Args, Raises: as `load_classifier`. ConfigError: the run's ``config.yaml`` is damaged.
    """
    classifier, run = load_classifier(path), run_folder(path)
    if run is None or not (run / "config.yaml").is_file():
        return classifier
    views = load_config(run / "config.yaml").data.ten_crop
    if views is None:
        return classifier
    from fer_keras.inference.ten_crop_classifier import TenCropClassifier

    return TenCropClassifier(classifier, views)


def _load_folder(path: Path) -> Classifier:
    version = saved_model_version(path)
    if version is not None:
        from fer_keras.inference.saved_model_classifier import SavedModelClassifier

        return SavedModelClassifier(version)
    best = path / "weights" / "best.keras"
    if best.is_file():
        return load_classifier(best)
    raise ModelLoadError(
        f"{path}: no model in this folder (no weights/best.keras, no saved_model.pb, no numbered version); "
        f"give {FORMATS}"
    )


def saved_model_version(path: Path) -> Path | None:
    """The SavedModel of a folder: itself, or its highest numbered version; None if it holds none."""
    if (path / "saved_model.pb").is_file():
        return path
    versions = [child for child in path.iterdir() if child.name.isdecimal() and (child / "saved_model.pb").is_file()]
    return max(versions, key=lambda child: int(child.name), default=None)
