"""Experiment files: YAML with ``_base_`` inheritance and ``--set`` overrides, checked against the schema."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fer_keras.config.errors import ConfigError, suggest
from fer_keras.config.schema import Config, section_keys
from fer_keras.config.yaml_text import YamlError, read_yaml, write_yaml

BASE_KEY = "_base_"
MAX_LEVELS = 3
"""How many levels of ``_base_`` files may lie below an experiment file."""

Key = tuple[str, ...]


def load_config(path: str | Path, overrides: Iterable[str] = ()) -> Config:
    """Reads an experiment file.

    Args:
        path: the YAML file. Its ``_base_`` (a path or a list of paths, relative to the file) is merged first: sections
            key by key, later over earlier, the file itself last; a list is replaced as a whole.
        overrides: ``dotted.key=value`` each, the value read as YAML; applied last, in their order.

    Returns:
        The resolved configuration.

    Raises:
        ConfigError: a file is missing or not YAML, inheritance is circular or too deep, a key is unknown, or a value is
            not allowed. The message names the file (or the override) and the dotted key.

    Example:
        >>> load_config("configs/cross_entropy/ferplus_fer_mini.yaml", ["schedule.epochs=3"]).schedule.epochs
        3
    """
    merged: dict[str, Any] = {}
    sources: dict[Key, str] = {}
    _merge_file(Path(path), merged, sources, chain=())
    for override in overrides:
        _merge(merged, _parse_override(override), sources, f"--set {override}")
    try:
        return Config.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(_explain(error, sources, str(path))) from None


def dump_config(config: Config) -> str:
    """Writes a configuration as YAML, every key spelled out; `load_config` reads the same configuration back.

    Example:
        >>> dump_config(Config(seed=7)).splitlines()[:2]
        ['name: run', 'seed: 7']
    """
    return write_yaml(config.model_dump())


def _merge_file(path: Path, merged: dict, sources: dict[Key, str], chain: tuple[Path, ...]) -> None:
    """Merges a file, its bases first, into `merged`; `chain` are the files that led here."""
    if path.resolve() in [file.resolve() for file in chain]:
        circle = " -> ".join(str(file) for file in (*chain, path))
        raise ConfigError(f"{chain[-1]}: {BASE_KEY} goes in a circle: {circle}")
    if len(chain) > MAX_LEVELS:
        raise ConfigError(f"{chain[-1]}: {BASE_KEY} goes more than {MAX_LEVELS} levels deep; merge some of the files")
    content = _read_file(path, chain)
    bases = content.pop(BASE_KEY, [])
    bases = [bases] if isinstance(bases, str) else bases
    if not isinstance(bases, list) or not all(isinstance(base, str) for base in bases):
        raise ConfigError(f"{path}: {BASE_KEY} should be a path or a list of paths")
    for base in bases:
        _merge_file(Path(os.path.normpath(path.parent / base)), merged, sources, (*chain, path))
    _merge(merged, content, sources, str(path))


def _read_file(path: Path, chain: tuple[Path, ...]) -> dict:
    named_in = f" (named in {BASE_KEY} of {chain[-1]})" if chain else ""
    try:
        content = read_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file{named_in}") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}{named_in}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not a text file in UTF-8{named_in}") from None
    except YamlError as error:
        raise ConfigError(f"{path}: {error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: should hold keys and values (key: value), not {_show(content)}")
    if isinstance(content.get("data"), list):  # several record sets: the first with the settings for all
        first, *others = content["data"] or [{}]
        if not isinstance(first, dict) or "joint" in first:
            raise ConfigError(f"{path}: data: the first of the list should be a section without joint")
        content["data"] = {**first, "joint": others}
    return content


def _parse_override(override: str) -> dict:
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise ConfigError(f"--set {override}: should be key=value, for example schedule.epochs=3")
    try:
        value = read_yaml(text)
    except YamlError as error:
        raise ConfigError(f"--set {override}: the value is not YAML ({error})") from None
    for part in reversed(parts):
        value = {part: value}
    return value


def _merge(merged: dict, update: dict, sources: dict[Key, str], source: str, prefix: Key = ()) -> None:
    """Deep merge in place: sections key by key, anything else is replaced; notes where each key comes from."""
    for key, value in update.items():
        sources[(*prefix, key)] = source
        if isinstance(value, dict):
            section = merged.get(key)
            merged[key] = section if isinstance(section, dict) else {}
            _merge(merged[key], value, sources, source, (*prefix, key))
        else:
            merged[key] = value


def _explain(error: ValidationError, sources: dict[Key, str], path: str) -> str:
    """One line for the first mistake (an unknown key before a wrong value), with the number of others."""
    mistakes = sorted(error.errors(), key=lambda mistake: mistake["type"] != "extra_forbidden")
    first = mistakes[0]
    location = first["loc"]
    source = next(
        (sources[location[:end]] for end in range(len(location), 0, -1) if location[:end] in sources),
        path,
    )
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    others = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    return f"{source}: {_reason(key, first)}{others}"


def _reason(key: str, mistake: dict) -> str:
    message = mistake["msg"]
    match mistake["type"]:
        case "extra_forbidden":
            return f"unknown key {key}{suggest(key, section_keys()) or _keys_beside(key)}"
        case "value_error":
            return f"{key}: {mistake['ctx']['error']}" if key else str(mistake["ctx"]["error"])
        case "model_type" | "dict_type":
            message = "should be a section (key: value), or {} for none"
        case "tuple_type":
            message = "should be a list"
        case "missing" | "too_long":
            return f"{key.partition('[')[0]}: {_show(mistake['input'])} has the wrong length{_description(key)}"
        case "string_pattern_mismatch":
            message = "should be letters, digits, '.', '_' and '-' only, a letter or digit first"
    return f"{key}: {_show(mistake['input'])} is not allowed; it {message.removeprefix('Input ')}{_description(key)}"


def _keys_beside(key: str) -> str:
    section = key.rpartition(".")[0]
    return f"; known: {', '.join(name for name in section_keys() if name.rpartition('.')[0] == section)}"


def _description(key: str) -> str:
    field = section_keys().get(key.partition("[")[0])
    return f" ({field.description})" if field is not None else ""


def _show(value: Any, limit: int = 60) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else text[: limit - 3] + "..."
