"""What the sections of an experiment file share: their base class and the types of their values."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Unit = Annotated[float, Field(ge=0, le=1)]
# YAML knows lists only: a strict tuple would refuse them.
Pair = Annotated[tuple[float, float], Field(strict=False)]
Size = Annotated[tuple[Annotated[int, Field(ge=8, le=2048)], Annotated[int, Field(ge=8, le=2048)]], Field(strict=False)]
Numbers = Annotated[tuple[float, ...], Field(strict=False)]
Text = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Text, ...], Field(strict=False, min_length=1)]
Layers = Annotated[tuple[dict[str, JsonValue], ...], Field(strict=False)]


class Section(BaseModel):
    """What all sections share: no unknown keys, no silent conversion of types, no infinities, no change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
