import shlex
from pathlib import Path

import pytest

from fer_keras.config import load_config

CONFIGS = Path(__file__).parents[3] / "configs"
PRESETS = sorted(path for path in CONFIGS.rglob("*.yaml") if "_base_" not in path.parts)
BASES = sorted((CONFIGS / "_base_").rglob("*.yaml"))


def header(preset: Path) -> list[str]:
    lines = preset.read_text().splitlines()
    return [line[1:].strip() for line in lines[: next(i for i, line in enumerate(lines) if not line.startswith("#"))]]


def commands(preset: Path) -> list[list[str]]:
    lines = header(preset)
    return [shlex.split(line) for line in lines[lines.index("data:") + 1 :]]


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


def test_there_are_presets():
    assert len(PRESETS) >= 5 and len(BASES) >= 4


@pytest.mark.parametrize("file", PRESETS + BASES, ids=lambda path: str(path.relative_to(CONFIGS)))
def test_every_file_loads(file):
    load_config(file)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_the_first_lines_say_how_to_repeat_it(preset):
    lines = header(preset)
    command = "train" if load_config(preset).pretraining is None else "pretrain"
    assert f"run: fer-keras {command} --config {preset.relative_to(CONFIGS.parent)}" in lines
    assert any(line.startswith("expected: ") for line in lines)
    assert any(line.startswith("source: ") for line in lines)


def sidecars(derive: list[list[str]]) -> set[str]:
    """Names of the sidecars that commands of one record set make, but for valence and arousal."""
    made = set()
    for command in derive:
        if command[1] == "add-noise":
            made.add(f"noisy_labels-{option(command, '--kind')}-{option(command, '--rate')}-seed0")
        elif command[1] == "add-neighbors":
            space = "--features" if "--features" in command else "--valence-arousal"
            made.add(f"neighbors-{option(command, space)}-k{option(command, '--k')}")
        elif command[1] == "add-label-sources":
            made.add(f"label_sources-{option(command, '--name')}")
        elif command[1] == "add-labelled-subset":
            count = option(command, "--labels") if "--labels" in command else None
            count = count or f"{option(command, '--labels-per-class')}_per_class"
            made.add(f"labelled-{count}-seed{option(command, '--seed')}")
        elif command[1] == "add-candidates":
            made.add(f"candidates-{option(command, '--name' if '--name' in command else '--rule')}")
    return made


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_the_data_commands_make_what_the_preset_reads(preset):
    steps = commands(preset)
    made: dict[str, list] = {}
    for command in steps:
        if command[1].startswith("add-"):
            assert option(command, "--split") == "train"
            made[command[2]].append(command)
        elif command[1] == "crop-geometry":
            assert command[2] in made
        else:
            if command[1] == "split":
                assert not made.pop(command[2])
            made[option(command, "--out")] = []
    sources = load_config(preset).data.sources
    assert set(made) == {source.directory for source in sources}
    for source in sources:
        neighbors = (source.neighbors,) if isinstance(source.neighbors, str) else source.neighbors or ()
        labels = {source.noisy_labels, source.label_sources, source.candidates, getattr(source, "labelled", None)}
        wanted = {*labels, *neighbors} - {None, "by_set"}
        assert sidecars(made[source.directory]) == wanted


def test_names_of_the_runs_differ():
    names = [load_config(preset).name for preset in PRESETS]
    assert len(set(names)) == len(names)


def test_compared_presets_differ_in_the_method_alone():
    def rest(preset: str) -> dict:
        content = load_config(CONFIGS / preset).model_dump()
        del content["method"], content["name"], content["data"]["neighbors"]
        return content

    noisy = [
        "cross_entropy/ferplus_fer_mini_noise30.yaml",
        "ldlva/ferplus_fer_mini_noise30_images.yaml",
        "ldlva/ferplus_fer_mini_noise30_bank.yaml",
    ]
    assert rest(noisy[0]) == rest(noisy[1]) == rest(noisy[2])
    assert rest("cross_entropy/ferplus_fer_mini.yaml") == rest("ldlva/ferplus_fer_mini.yaml")


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_the_methods_know_their_arguments(preset):
    from fer_keras.methods.registry import check_options

    method = load_config(preset).method
    check_options(method.name, list(method.arguments))
