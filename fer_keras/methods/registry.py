"""Training methods by name."""

import inspect
from collections.abc import Sequence

from fer_keras.config import suggest
from fer_keras.methods.ada_cm import AdaCM
from fer_keras.methods.ada_df import AdaDF
from fer_keras.methods.ambiguity_distillation import AmbiguityDistillation
from fer_keras.methods.base import Method
from fer_keras.methods.center_loss import CenterLoss
from fer_keras.methods.cross_entropy import CrossEntropy
from fer_keras.methods.dmue import DMUE
from fer_keras.methods.eac import EAC
from fer_keras.methods.fixmatch import FixMatch
from fer_keras.methods.island_loss import IslandLoss
from fer_keras.methods.latent_truth import LatentTruth
from fer_keras.methods.ldl_alsg import LDLALSG
from fer_keras.methods.ldlva import LDLVA
from fer_keras.methods.leaf import LEAF
from fer_keras.methods.pll import PLL
from fer_keras.methods.rul import RUL
from fer_keras.methods.scn import SCN
from fer_keras.methods.valence_arousal import ValenceArousal
from fer_keras.methods.votes import Votes

_METHODS: dict[str, type[Method]] = {
    "ada_cm": AdaCM,
    "ada_df": AdaDF,
    "ambiguity_distillation": AmbiguityDistillation,
    "center_loss": CenterLoss,
    "cross_entropy": CrossEntropy,
    "dmue": DMUE,
    "eac": EAC,
    "fixmatch": FixMatch,
    "island_loss": IslandLoss,
    "latent_truth": LatentTruth,
    "ldl_alsg": LDLALSG,
    "ldlva": LDLVA,
    "leaf": LEAF,
    "pll": PLL,
    "rul": RUL,
    "scn": SCN,
    "valence_arousal": ValenceArousal,
    "votes": Votes,
}
_GIVEN_BY_TRAINER = ("self", "backbone", "class_names", "num_samples", "kwargs", "name")


def names() -> list[str]:
    """The registered methods."""
    return list(_METHODS)


def get(name: str) -> type[Method]:
    """The class of a method.

    Raises:
        ValueError: there is no such method; the message suggests the nearest one.

    Example:
        >>> get("ldlva").__name__
        'LDLVA'
    """
    if name not in _METHODS:
        raise ValueError(f"method.name: unknown method {name!r}{suggest(name, names())}; known: {', '.join(names())}")
    return _METHODS[name]


def options(name: str) -> dict[str, inspect.Parameter]:
    """The options of a method, those of its base class included."""
    found: dict[str, inspect.Parameter] = {}
    classes = get(name).__mro__
    for cls in classes[: classes.index(Method) + 1]:
        parameters = inspect.signature(cls.__init__).parameters
        found.update({key: value for key, value in parameters.items() if key not in _GIVEN_BY_TRAINER})
    return found


def check_options(name: str, given: Sequence[str]) -> None:
    """Refuses options that the method does not have.

    Raises:
        ValueError: names the option and suggests the nearest known one.
    """
    known = options(name)
    for key in given:
        if key not in known:
            raise ValueError(
                f"method.{key}: {name} has no such option{suggest(key, list(known))}; it has: {', '.join(known)}"
            )
