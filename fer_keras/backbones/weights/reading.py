"""What a reader of a format hands over: the file's arrays, what the network wants of them, and how it takes them."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np


@dataclasses.dataclass(frozen=True)
class Reading:
    """A file of weights, read with one network in view.

    Args:
        format: of the file, for the report.
        found: the file's arrays by name.
        expected: the shapes that the network wants, by its names in the manner of the file.
        separator: of the parts of a name.
        assign: puts arrays (by the names of `expected`, in their shapes) into the network.
        labels: names that people know, where those of the file are not.
        shards: files beside the source that hold its arrays.
    """

    format: str
    found: Mapping[str, np.ndarray]
    expected: Mapping[str, tuple[int, ...]]
    separator: str
    assign: Callable[[Mapping[str, np.ndarray]], None]
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    shards: Sequence[Path] = ()
