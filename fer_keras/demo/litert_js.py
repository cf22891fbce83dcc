"""LiteRT for browsers: the npm packages that the page takes its runtime from."""

import contextlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

VERSION = "2.5"
"""The page is written for versions that begin like this."""

CORE, UTILITIES = "@litertjs/core", "@litertjs/wasm-utils"
PACK = f"npm pack {CORE}@{VERSION} {UTILITIES}@{VERSION}"
FILES = {
    CORE: (
        "package.json",
        "dist/index.js",
        # The second pair is for browsers without relaxed SIMD; a visitor fetches one of the two.
        "wasm/litert_wasm_internal.js",
        "wasm/litert_wasm_internal.wasm",
        "wasm/litert_wasm_compat_internal.js",
        "wasm/litert_wasm_compat_internal.wasm",
    ),
    UTILITIES: ("package.json", "dist/index.js"),
}
"""What the page needs of each package: one thread on the processor, which works on any static host."""

APACHE = Path(__file__).parent / "templates" / "Apache-2.0.txt"


class LiteRTJsError(ValueError):
    """The npm packages are missing, damaged, or of another version; the message says how to get them."""


@dataclass(frozen=True)
class LiteRTJs:
    """The unpacked npm packages.

    Args:
        packages: package name -> its folder.
        version: of `CORE`.
    """

    packages: dict[str, Path]
    version: str

    @classmethod
    def load(cls, core: Path, utilities: Path) -> "LiteRTJs":
        """Checks that two folders are the two packages.

        Raises:
            LiteRTJsError: one is another package, of another version, or lacks a file.
        """
        packages = {CORE: core, UTILITIES: utilities}
        for name, folder in packages.items():
            manifest = _manifest(folder)
            if manifest.get("name") != name:
                raise LiteRTJsError(f"{folder}: not the npm package {name}; get it with: {PACK}")
            if not str(manifest.get("version", "")).startswith(f"{VERSION}."):
                raise LiteRTJsError(
                    f"{folder}: {name} {manifest.get('version')}, the page needs {VERSION}; get it with: {PACK}"
                )
            missing = [file for file in FILES[name] if not (folder / file).is_file()]
            if missing:
                raise LiteRTJsError(f"{folder}: {name} without {', '.join(missing)}; get it again with: {PACK}")
        return cls(packages, _manifest(core)["version"])

    def copy(self, target: Path) -> None:
        """Copies what the page needs, with the licences, to ``<target>/<package without scope>/``.

        Raises:
            LiteRTJsError: a package without a licence that may be passed on.
        """
        for name, folder in self.packages.items():
            destination = target / name.partition("/")[2]
            for file in (*FILES[name], *sorted(path.name for path in folder.glob("LICENSE*") if path.is_file())):
                (destination / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / file, destination / file)
            if not list(destination.glob("LICENSE*")):
                # The packages name their licence and do not contain it; whoever passes them on has to.
                if _manifest(folder).get("license") != "Apache-2.0":
                    raise LiteRTJsError(f"{folder}: {name} has no licence file")
                shutil.copyfile(APACHE, destination / "LICENSE")


@contextlib.contextmanager
def open_litert_js(given: Path | None, say: Callable[[str], None]) -> Iterator[LiteRTJs]:
    """Finds the packages; what has to be unpacked is removed when the block ends.

    Args:
        given: a folder ``node_modules/@litertjs/core``, or the ``.tgz`` that ``npm pack`` made of it, with that of
            `UTILITIES` in the same folder. None takes ``node_modules`` of the current folder, else asks npm.
        say: told the npm command before it runs.

    Yields:
        The packages.

    Raises:
        LiteRTJsError: nothing was found, and npm is missing or failed.
    """
    installed = Path("node_modules") / CORE
    with tempfile.TemporaryDirectory(prefix="litert-js-") as folder:
        scratch = Path(folder)
        if given is None and installed.is_dir():
            given = installed
        if given is None:
            say(PACK)
            given = _npm_pack(scratch)
        if given.is_dir():
            yield LiteRTJs.load(given, _utilities_of(given))
        elif given.is_file():
            core = _unpack(given, scratch / "core")
            yield LiteRTJs.load(core, _unpack(_archive_beside(given), scratch / "utilities"))
        else:
            raise LiteRTJsError(f"{given}: no such file or folder; get it with: {PACK}")


def _npm_pack(folder: Path) -> Path:
    """The archive of `CORE`, fetched by npm into a folder with that of `UTILITIES`."""
    npm = shutil.which("npm")
    if npm is None:
        raise LiteRTJsError(
            f"{CORE} not found, and no npm on the PATH; where npm is, run: {PACK}; then give --litert-js"
        )
    done = subprocess.run([npm, *PACK.split()[1:]], cwd=folder, capture_output=True, text=True)
    archives = sorted(folder.glob("litertjs-core-*.tgz"))
    if done.returncode or not archives:
        errors = [line for line in done.stderr.splitlines() if line.startswith(("npm error", "npm ERR!"))]
        raise LiteRTJsError(f"{PACK} failed ({errors[0] if errors else f'exit code {done.returncode}'})")
    return archives[-1]


def _utilities_of(core: Path) -> Path:
    """The folder of `UTILITIES` that npm installed for a folder of `CORE`: inside it, else beside it."""
    inside = core / "node_modules" / UTILITIES
    return inside if inside.is_dir() else core.absolute().parent / UTILITIES.partition("/")[2]


def _archive_beside(core: Path) -> Path:
    archives = sorted(core.parent.glob("litertjs-wasm-utils-*.tgz"))
    if not archives:
        raise LiteRTJsError(f"{core}: {CORE} needs {UTILITIES} as well, in the same folder; get both with: {PACK}")
    return archives[-1]


def _unpack(archive: Path, folder: Path) -> Path:
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise LiteRTJsError(f"{archive}: not an archive made by npm pack ({error})") from error
    return folder / "package"


def _manifest(folder: Path) -> dict:
    """The content of ``package.json``; empty where there is none."""
    try:
        content = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
