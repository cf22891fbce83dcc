"""Pictures with what a model says of the faces drawn into them."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_keras.inference.prediction import Prediction

COLOURS = {
    "neutral": "#9aa0a6", "happiness": "#f2b134", "sadness": "#4c8bf5", "surprise": "#b66dff",
    "fear": "#7a5cff", "disgust": "#5bb974", "anger": "#ea4335", "contempt": "#d2691e",
}  # fmt: skip
"""One colour an expression, to be told apart on skin."""

OTHER = "#c0c0c0"
"""Colour of any other class."""

FONT_SHARE = 0.028
"""Height of the letters, as a share of the longer side of the picture."""


def annotate(image: np.ndarray, predictions: Sequence[Prediction], bars: int = 3) -> np.ndarray:
    """Draws boxes, the most probable expression of each face, and bars for the next ones.

    Args:
        image: (H, W, 3) uint8 RGB; it is not changed.
        predictions: those of this picture; without a box (no detector) the box is the whole picture.
        bars: expressions shown per face.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture, "RGBA")
    letters = max(10, round(FONT_SHARE * max(picture.size)))
    font = ImageFont.load_default(letters)
    for prediction in predictions:
        if prediction.label is not None:
            box = prediction.box or (0, 0, picture.width - 1, picture.height - 1)
            draw.rectangle(box, outline=COLOURS.get(prediction.label, OTHER), width=max(2, letters // 6))
            ranked = sorted(prediction.probs.items(), key=lambda item: -item[1])[:bars]
            _panel(draw, picture.size, box, ranked, font, letters)
    return np.asarray(picture)


def _panel(draw: ImageDraw.ImageDraw, size, box, ranked, font, letters: int) -> None:
    """The names and bars, below the face where there is room, else above it or at the bottom of the picture."""
    line, pad = round(letters * 1.35), round(letters * 0.35)
    names = max(draw.textlength(name, font) for name, _ in ranked)
    full = max(letters * 4, (box[2] - box[0]) - names - 4 * pad)  # length of a bar of probability 1
    width, height = names + full + 4 * pad, len(ranked) * line + 2 * pad
    left = min(max(box[0], 0), max(size[0] - width, 0))
    top = box[3] + pad
    if top + height > size[1]:
        top = box[1] - height - pad if box[1] - height - pad >= 0 else size[1] - height
    draw.rounded_rectangle((left, top, left + width, top + height), pad, fill=(0, 0, 0, 150))
    for number, (name, probability) in enumerate(ranked):
        y = top + pad + number * line
        draw.text((left + pad, y), name, "white", font)
        start, bottom = left + 2 * pad + names, y + letters
        draw.rectangle((start, y + letters * 0.2, start + full, bottom), fill=(255, 255, 255, 60))
        draw.rectangle((start, y + letters * 0.2, start + full * probability, bottom), fill=COLOURS.get(name, OTHER))
