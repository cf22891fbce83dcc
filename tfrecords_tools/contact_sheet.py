"""A contact sheet: a few images of every class of a split on one page."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_keras.data.records import RecordSet, read_columns
from fer_keras.files import replacing
from tfrecords_tools.images import own_pixel_limit
from tfrecords_tools.reading import iterate_batches

_CELL = 96
_MARGIN = 4
_LABEL_WIDTH = 110


def draw_contact_sheet(record_set: RecordSet, split: str, per_class: int = 10, seed: int = 0) -> Image.Image:
    """Draws random images of every class, one row per class that occurs.

    Args:
        record_set: the set.
        split: name of the split.
        per_class: largest number of images per class.
        seed: of the random choice.

    Returns:
        An RGB image; each photograph is scaled to fit 96 x 96 pixels.

    Raises:
        RecordSetError: the split does not exist.
    """
    labels = read_columns(record_set, split, ["label"])["label"]
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, np.ndarray]] = []
    for label, name in [*enumerate(record_set.class_names), (-1, "unlabelled")]:
        members = np.flatnonzero(labels == label)
        if len(members):
            rows.append((name, np.sort(rng.choice(members, min(per_class, len(members)), replace=False))))
    cells = {sample: (row, column) for row, (_, chosen) in enumerate(rows) for column, sample in enumerate(chosen)}
    pitch = _CELL + _MARGIN
    sheet = Image.new("RGB", (_LABEL_WIDTH + per_class * pitch, len(rows) * pitch + _MARGIN), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (name, _) in enumerate(rows):
        middle = _MARGIN + row * pitch + _CELL // 2
        draw.text((_MARGIN, middle), name, fill="black", anchor="lm", font=ImageFont.load_default(16))
    start = 0
    with own_pixel_limit():
        for batch in iterate_batches(record_set, split):
            for sample in range(start, start + len(batch["image"])):
                if sample in cells:
                    row, column = cells[sample]
                    picture = _thumbnail(batch["image"][sample - start])
                    sheet.paste(picture, (_LABEL_WIDTH + column * pitch, _MARGIN + row * pitch))
            start += len(batch["image"])
    return sheet


def write_contact_sheet(sheet: Image.Image, path: Path) -> None:
    """Saves the sheet as PNG, under a temporary name first.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as temporary:
        sheet.save(temporary, "PNG")


def _thumbnail(encoded: bytes) -> Image.Image:
    with Image.open(io.BytesIO(encoded)) as image:
        picture = image.convert("RGB")
    scale = _CELL / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.BILINEAR)
