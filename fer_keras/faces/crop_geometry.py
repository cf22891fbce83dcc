"""Where the five points of a face lie in the crops that a model was trained with."""

import json
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fer_keras.files import replacing

GEOMETRY_FILE = "crop_geometry.json"
"""In the folder of a record set, of a run, and of an exported model."""

Point = tuple[float, float]


class CropGeometryError(ValueError):
    """A crop geometry that cannot be read."""


class CropGeometry(BaseModel):
    """The crop geometry of a training set; it travels with the models that are trained on it.

    Example:
        >>> DEFAULT_GEOMETRY.points[0][1] == DEFAULT_GEOMETRY.points[1][1]
        True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: tuple[Point, Point, Point, Point, Point] = Field(
        description="x, y of the eyes, the nose and the corners of the mouth, as shares of the sides of the crop"
    )
    grey: bool = Field(False, description="whether the crops have no colour")
    size: int | None = Field(None, ge=1, description="side of the crops in pixels, where all are squares of one size")
    origin: str = Field(description="where the points come from")

    @classmethod
    def read(cls, file: Path) -> Self:
        """Reads `GEOMETRY_FILE`.

        Raises:
            CropGeometryError: it is not one; the message names the file and what is wrong.
        """
        try:
            return cls.model_validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.strerror
            raise CropGeometryError(f"{file}: not a crop geometry ({reason}); measure it again") from error

    def write(self, file: Path) -> None:
        """Writes `file`, which appears only when it is complete."""
        with replacing(file) as temporary:
            temporary.write_text(json.dumps(self.model_dump(), indent=1) + "\n", encoding="utf-8")


DEFAULT_GEOMETRY = CropGeometry(
    points=((0.31, 0.40), (0.69, 0.40), (0.50, 0.62), (0.35, 0.79), (0.65, 0.79)),
    origin="default: a face that fills the crop from the brows to the chin",
)
"""For models that carry none."""


def find_geometry(model: str | Path) -> CropGeometry | None:
    """The crop geometry that is stored with a model: beside it, or in one of the two folders above it.

    Args:
        model: a model file, a SavedModel's folder, a model's folder or a run folder.

    Returns:
        The geometry; None if there is none.

    Raises:
        CropGeometryError: it cannot be read.

    Example:
        >>> find_geometry("no/such/model.tflite") is None
        True
    """
    path = Path(model)
    for folder in (path, path.parent, path.parent.parent):
        if (folder / GEOMETRY_FILE).is_file():
            return CropGeometry.read(folder / GEOMETRY_FILE)
    return None
