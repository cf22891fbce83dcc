"""The cells of a comparison: every experiment with every seed, alike in all but the method."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fer_keras.config import Config, load_config

SEED = "{seed}"
"""Stands for the number of the seed in an override."""

OF_THE_METHOD = ("data.neighbors", "data.label_sources", "data.valence_arousal", "data.candidates", "data.sampler")
"""Keys outside ``method`` that may differ between experiments: what a method reads beside images and labels, and how
its batches must be drawn."""


class ComparisonError(ValueError):
    """Experiments that cannot be compared, or a folder that holds something else."""


@dataclasses.dataclass(frozen=True, eq=False)  # a key of dictionaries
class Cell:
    """One run of a comparison.

    Args:
        label: name of the experiment in tables and figures.
        seed: of weights, order, augmentation and wherever an override says ``{seed}``.
        config: the resolved configuration; its run folder is ``<out>/runs/<label>/seed<n>``.
    """

    label: str
    seed: int
    config: Config

    @property
    def folder(self) -> Path:
        """The run folder."""
        return Path(self.config.output_dir) / self.config.name

    @property
    def name(self) -> str:
        """As shown while it runs."""
        return f"{self.label} seed {self.seed}"


def plan(
    files: Sequence[str | Path],
    seeds: Sequence[int],
    out: str | Path,
    overrides: Sequence[str] = (),
    differing: Sequence[str] = (),
) -> list[Cell]:
    """All cells, seed by seed, so that an unfinished comparison has whole seeds first.

    Args:
        files: experiment files; the first is the baseline. Each is called by its method, or by its ``name`` where
            two have the same method.
        seeds: their numbers.
        out: folder of the comparison.
        overrides: ``dotted.key=value`` for all, ``{seed}`` standing for the seed.
        differing: keys in which the experiments are meant to differ, beside ``method`` and `OF_THE_METHOD`.

    Returns:
        ``len(seeds) * len(files)`` cells.

    Raises:
        ComparisonError: no file, a seed or a label twice, or experiments that differ in another key; the message
            names it.
        ConfigError: as `load_config`.
    """
    if not files or not seeds:
        raise ComparisonError("a comparison needs at least one experiment and one seed")
    if len(set(seeds)) < len(seeds):
        raise ComparisonError(f"--seeds: each once, not {', '.join(map(str, seeds))}")
    labels = _labels([load_config(file, _for_seed(overrides, seeds[0])) for file in files])
    cells = [
        Cell(label, seed, _configuration(file, label, seed, Path(out), overrides))
        for seed in seeds
        for file, label in zip(files, labels, strict=True)
    ]
    _check_alike(cells[: len(files)], differing)
    return cells


def _for_seed(overrides: Sequence[str], seed: int) -> list[str]:
    return [override.replace(SEED, str(seed)) for override in overrides]


def _configuration(file: str | Path, label: str, seed: int, out: Path, overrides: Sequence[str]) -> Config:
    config = load_config(file, [*_for_seed(overrides, seed), f"seed={seed}", f"name=seed{seed}"])
    return config.model_copy(update={"output_dir": (out / "runs" / label).as_posix()})


def _labels(configs: Sequence[Config]) -> list[str]:
    methods = Counter(config.method.name for config in configs)
    labels = [config.method.name if methods[config.method.name] == 1 else config.name for config in configs]
    for label, count in Counter(labels).items():
        if count > 1:
            raise ComparisonError(f"two experiments are called {label!r}: give one of the files another name")
    return labels


def _check_alike(cells: Sequence[Cell], differing: Sequence[str]) -> None:
    free = (*OF_THE_METHOD, *differing)
    first = dict(_leaves(cells[0].config.model_dump(exclude={"name", "output_dir", "method"})))
    for cell in cells[1:]:
        other = dict(_leaves(cell.config.model_dump(exclude={"name", "output_dir", "method"})))
        for key in first | other:
            if first.get(key) != other.get(key) and not any(key == name or key.startswith(f"{name}.") for name in free):
                raise ComparisonError(
                    f"{key} is {first.get(key)!r} for {cells[0].label} and {other.get(key)!r} for {cell.label}; give "
                    f"all the same value (--set {key}=...), or allow the difference with --differing {key}"
                )


def _leaves(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
