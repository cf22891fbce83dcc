"""What is said about a wrong configuration, and the nearest right name."""

import difflib
from collections.abc import Iterable


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names the file or option, the key and what is allowed."""


def suggest(key: str, known: Iterable[str]) -> str:
    """The end of an error message about an unknown name: the nearest known one, or all of them.

    Args:
        key: the unknown name; may be dotted, such as ``schedule.epoch``.
        known: the names that would have been right, dotted in the same way.

    Returns:
        Text to append to the message: ``; did you mean X?`` where a known name is near (as a whole, or in its last
        part, which finds a key that stands in the wrong section), else ``; known: A, B, C``.

    Example:
        >>> "unknown method 'ldlav'" + suggest("ldlav", ["cross_entropy", "ldlva"])
        "unknown method 'ldlav'; did you mean ldlva?"
        >>> suggest("epochs", ["schedule.epochs", "seed"])
        '; did you mean schedule.epochs?'
        >>> suggest("xyz", ["b", "a"])
        '; known: a, b'
    """
    names = sorted(set(known))
    if not names:
        return ""
    section, _, leaf = key.rpartition(".")
    siblings = {name.rpartition(".")[2]: name for name in names if name.rpartition(".")[0] == section}
    elsewhere: dict[str, str] = {}
    for name in names:
        elsewhere.setdefault(name.rpartition(".")[2].lower(), name)
    for candidates in (siblings, elsewhere):
        near = difflib.get_close_matches(leaf.lower(), candidates, n=1, cutoff=0.6)
        if not near and len(leaf) >= 3:
            near = [name for name in candidates if name.startswith(leaf.lower())]
        if near:
            return f"; did you mean {candidates[near[0]]}?"
    return f"; known: {', '.join(sorted(siblings.values()) or names)}"
