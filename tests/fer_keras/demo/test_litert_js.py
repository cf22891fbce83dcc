import os
import shutil

import pytest

from fer_keras.demo.litert_js import CORE, PACK, UTILITIES, LiteRTJs, LiteRTJsError, open_litert_js


def refused(given) -> str:
    with pytest.raises(LiteRTJsError) as error, open_litert_js(given, say=lambda command: None):
        pass
    return str(error.value)


def test_a_folder_of_node_modules(install, tmp_path):
    with open_litert_js(install(), say=lambda command: pytest.fail(command)) as runtime:
        assert runtime.version == "2.5.9"
        runtime.copy(tmp_path / "out")
    assert (tmp_path / "out" / "core" / "dist" / "index.js").read_text() == f"{CORE}/dist/index.js"
    assert sorted(path.name for path in (tmp_path / "out" / "wasm-utils").rglob("*") if path.is_file()) == [
        "LICENSE", "index.js", "package.json",
    ]  # fmt: skip
    assert not (tmp_path / "out" / "core" / "README.md").exists()  # only what the page needs


def test_the_dependency_may_lie_inside_the_package(install):
    core = install()
    shutil.move(core.parent / "wasm-utils", core / "node_modules" / UTILITIES)
    with open_litert_js(core, say=lambda command: None) as runtime:
        assert runtime.packages[UTILITIES] == core / "node_modules" / UTILITIES


def test_archives_of_npm_pack(pack):
    archive = next(pack(CORE, UTILITIES).glob("litertjs-core-*.tgz"))
    with open_litert_js(archive, say=lambda command: None) as runtime:
        unpacked = runtime.packages[CORE]
        assert (unpacked / "wasm" / "litert_wasm_internal.wasm").is_file()
    assert not unpacked.exists()


def test_without_a_path_node_modules_of_the_current_folder(install, monkeypatch):
    monkeypatch.chdir(install().parents[2])
    with open_litert_js(None, say=lambda command: pytest.fail(command)) as runtime:
        assert runtime.version == "2.5.9"


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Puts a program ``npm`` with a given body alone on the PATH, in an empty current folder; None: no npm at all."""

    def install_npm(body: str | None) -> None:
        for name in ("programs", "empty"):
            (tmp_path / name).mkdir()
        if body is not None:
            (tmp_path / "programs" / "npm").write_text(f"#!/bin/sh\n{body}\n")
            (tmp_path / "programs" / "npm").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'programs'}:/bin:/usr/bin" if body is not None else "")
        monkeypatch.chdir(tmp_path / "empty")

    return install_npm


def test_else_npm_is_asked_and_its_command_shown(npm, pack):
    folder, said = pack(CORE, UTILITIES), []
    npm(f'[ "npm $*" = "{PACK}" ] && cp {folder}/*.tgz .')
    with open_litert_js(None, say=said.append) as runtime:
        assert runtime.version == "2.5.9"
    assert said == [PACK] and os.listdir(".") == []


def test_a_failing_npm_is_one_line(npm):
    npm('echo "npm warn config old" >&2; echo "npm error code E404" >&2; exit 1')
    assert refused(None) == f"{PACK} failed (npm error code E404)"


def test_without_npm_the_command_is_named(npm):
    npm(None)
    assert "no npm on the PATH" in refused(None) and PACK in refused(None)


def test_other_packages_and_versions_are_refused(install, tmp_path):
    core = install(version="2.0.0")
    assert f"{CORE} 2.0.0, the page needs 2.5" in refused(core)
    assert f"not the npm package {CORE}" in refused(core.parent / "wasm-utils")
    assert "no such file or folder" in refused(tmp_path / "none.tgz")


def test_missing_files_are_named(install):
    core = install()
    (core / "wasm" / "litert_wasm_internal.wasm").unlink()
    assert "without wasm/litert_wasm_internal.wasm" in refused(core)


def test_damaged_and_lonely_archives_are_refused(pack, tmp_path):
    (tmp_path / "core.tgz").write_bytes(b"no archive")
    assert f"{tmp_path}/core.tgz: not an archive made by npm pack" in refused(tmp_path / "core.tgz")
    (archive,) = pack(CORE).glob("*.tgz")
    assert f"needs {UTILITIES} as well" in refused(archive)


def test_a_licence_of_the_package_goes_before_ours(install, tmp_path):
    core = install()
    (core / "LICENSE").write_text("its own")
    LiteRTJs.load(core, core.parent / "wasm-utils").copy(tmp_path / "out")
    assert (tmp_path / "out" / "core" / "LICENSE").read_text() == "its own"
    assert "Apache License" in (tmp_path / "out" / "wasm-utils" / "LICENSE").read_text()


def test_an_unknown_licence_is_not_passed_on(install, tmp_path):
    core = install(licence="UNLICENSED")
    with pytest.raises(LiteRTJsError, match="no licence file"):
        LiteRTJs.load(core, core.parent / "wasm-utils").copy(tmp_path / "out")
