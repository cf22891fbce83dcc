"""The class vocabulary: one canonical order of emotion names, used everywhere.

Importers map *names* to this order, never bare numbers, and the list travels with every artefact (record
metadata, config, model, ``labels.txt``), so that two artefacts can be compared before they are combined.
"""

from collections.abc import Iterable, Sequence

EMOTIONS: tuple[str, ...] = (
    "neutral",
    "happiness",
    "sadness",
    "surprise",
    "fear",
    "disgust",
    "anger",
    "contempt",
)
"""The eight canonical classes, in canonical order."""

EMOTIONS_7: tuple[str, ...] = EMOTIONS[:7]
"""The seven-class vocabulary: the canonical order without contempt."""

UNLABELLED = -1
"""The label of a record that nobody has labelled."""

_ALIASES: dict[str, str] = {
    "neutrality": "neutral",
    "happy": "happiness",
    "joy": "happiness",
    "sad": "sadness",
    "surprised": "surprise",
    "fearful": "fear",
    "afraid": "fear",
    "disgusted": "disgust",
    "angry": "anger",
    "contemptuous": "contempt",
}

CIRCUMPLEX: dict[str, tuple[float, float]] = {
    "neutral": (0.0, 0.0),
    "happiness": (0.81, 0.51),
    "sadness": (-0.63, -0.27),
    "surprise": (0.40, 0.67),
    "fear": (-0.64, 0.60),
    "disgust": (-0.60, 0.35),
    "anger": (-0.51, 0.59),
    "contempt": (-0.55, 0.43),
}
"""Position (valence, arousal) of each emotion in Russell's circumplex, each coordinate in [-1, 1].

After the mean ratings of pleasure and arousal that Russell & Mehrabian (1977) report for such words. Neutral is the
origin; contempt is put between disgust and anger.
"""


class UnknownEmotionError(ValueError):
    """A class name that is neither canonical nor a known alias."""

    def __init__(self, name: str):
        known = ", ".join(EMOTIONS)
        aliases = ", ".join(sorted(_ALIASES))
        super().__init__(f"unknown emotion {name!r}; known: {known} (also understood: {aliases})")


class ClassListMismatchError(ValueError):
    """Two artefacts that were made for different class lists."""


def canonical_name(name: str) -> str:
    """The canonical spelling of an emotion name.

    Args:
        name: a canonical name or an alias such as ``"Happy"``; case and surrounding blanks do not matter.

    Returns:
        One of `EMOTIONS`.

    Raises:
        UnknownEmotionError: the name is not known; the message lists the known ones.

    Example:
        >>> canonical_name(" Angry ")
        'anger'
    """
    key = name.strip().lower()
    key = _ALIASES.get(key, key)
    if key not in EMOTIONS:
        raise UnknownEmotionError(name)
    return key


def class_index(name: str, class_names: Sequence[str] = EMOTIONS) -> int:
    """The index of an emotion in a class list.

    Args:
        name: a canonical name or an alias.
        class_names: the list to look it up in, canonical names.

    Returns:
        Its position, counted from 0.

    Raises:
        UnknownEmotionError: the name is unknown, or known but not in `class_names`.

    Example:
        >>> class_index("sad")
        2
    """
    key = canonical_name(name)
    if key not in class_names:
        raise UnknownEmotionError(f"{name} (this set has only: {', '.join(class_names)})")
    return tuple(class_names).index(key)


def canonical_order(names: Iterable[str]) -> tuple[str, ...]:
    """The distinct emotions among `names`, in canonical order.

    Example:
        >>> canonical_order(["Sad", "happy", "sad"])
        ('happiness', 'sadness')
    """
    found = {canonical_name(name) for name in names}
    return tuple(emotion for emotion in EMOTIONS if emotion in found)


def require_same_classes(first: Sequence[str], second: Sequence[str], first_is: str, second_is: str) -> None:
    """Refuses to go on when two artefacts were made for different class lists.

    Args:
        first, second: the two class lists.
        first_is, second_is: what they belong to, for the message.

    Raises:
        ClassListMismatchError: the lists differ; the message prints both.
    """
    if tuple(first) != tuple(second):
        raise ClassListMismatchError(
            f"different class lists: {first_is} has [{', '.join(first)}], {second_is} has [{', '.join(second)}]"
        )
