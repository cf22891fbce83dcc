"""What is said about a wrong configuration, and the nearest right name."""

import difflib
from collections.abc import Iterable


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names the file or option, the key and what is allowed."""


def suggest(key: str, known: Iterable[str]) -> str:
    """The end of an error message about an unknown name: the nearest known one.

    Args:
        key: the unknown name; may be dotted, such as ``schedule.epoch``.
        known: the names that would have been right, dotted in the same way.

    Returns:
        Text to append to the message: ``; did you mean X?``, or ``""`` if no name is near. Names of the same section
        come first; an equal or similar last part elsewhere finds a key that stands in the wrong section.

    Example:
        >>> "unknown method 'ldlav'" + suggest("ldlav", ["cross_entropy", "ldlva"])
        "unknown method 'ldlav'; did you mean ldlva?"
        >>> suggest("epochs", ["schedule.epochs", "seed"])
        '; did you mean schedule.epochs?'
        >>> suggest("xyz", ["a", "b"])
        ''
    """
    section, _, leaf = key.rpartition(".")
    siblings: dict[str, str] = {}
    elsewhere: dict[str, str] = {}
    for name in sorted(set(known)):
        its_section, _, its_leaf = name.rpartition(".")
        (siblings if its_section == section else elsewhere).setdefault(its_leaf.lower(), name)
    for candidates in (siblings, elsewhere):
        near = difflib.get_close_matches(leaf.lower(), candidates, n=1, cutoff=0.6)
        if not near and len(leaf) >= 3:
            near = [name for name in candidates if name.startswith(leaf.lower())]
        if near:
            return f"; did you mean {candidates[near[0]]}?"
    return ""
