"""Build a locked environment on this machine, once: `build("langgraph")`.

An environment is a folder named after the digest of its lock, so it exists whole or not at all: uv fills a
sibling folder, which is renamed when nothing is missing. A builder killed half-way leaves only the sibling,
and the next builder removes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import filelock

from runtime_envs.catalog import ENVIRONMENTS, Environment, environment
from runtime_envs.installer import create_venv, install_into_folder, install_into_venv
from shared.cache_root import cache_root
from shared.errors import EnvironmentFailed
from shared.versions import MARK

WAIT_FOR_OTHER_BUILDER_S = 1800
NOTE = "levelfield.json"
"""In each environment: how it was built."""

OnProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BuiltEnvironment:
    name: str
    python: Path
    """Its interpreter; for a folder of model weights, which needs none, our own."""
    lock_sha256: str
    path: Path
    size_bytes: int
    build_s: float
    """How long it took when it was built."""
    reused: bool
    """Whether it was there already."""


@dataclass(frozen=True, slots=True)
class EnvironmentState:
    """A row of `levelfield envs list`."""

    name: str
    kind: str
    path: Path
    built: bool
    size_bytes: int
    """0 when it is not built."""


@dataclass(frozen=True, slots=True)
class _Note:
    lock_sha256: str
    python: str
    size_bytes: int
    build_s: float


def build(name: str, root: Path | None = None, on_progress: OnProgress = lambda _: None) -> BuiltEnvironment:
    """Return the environment, building it first when it is not there."""
    return build_environment(environment(name), root, on_progress)


def build_environment(
    wanted: Environment, root: Path | None = None, on_progress: OnProgress = lambda _: None
) -> BuiltEnvironment:
    folder = environment_folder(wanted, root)
    if (found := _built(wanted, folder)) is not None:
        return found
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with one_builder(folder, wanted.name, on_progress):
            if (found := _built(wanted, folder)) is not None:
                return found
            return _build(wanted, folder, on_progress)
    except OSError as error:
        raise EnvironmentFailed(
            f"The environment {wanted.name!r} cannot be written below {folder.parent}: "
            f"{error.strerror or error}. "
            "Make room there, or set LEVELFIELD_CACHE to a folder with space and write permission."
        ) from error


def available(root: Path | None = None) -> list[EnvironmentState]:
    """Every environment of the catalogue, built or not, and of stated versions those that are built."""
    states = []
    for wanted in ENVIRONMENTS.values():
        if wanted.kind == "project":
            continue
        folder = environment_folder(wanted, root)
        found = _built(wanted, folder)
        size_bytes = found.size_bytes if found else 0
        states.append(EnvironmentState(wanted.name, wanted.kind, folder, found is not None, size_bytes))
    return states + _of_versions((root or cache_root()) / "envs")


def _of_versions(folder: Path) -> list[EnvironmentState]:
    """They are not in the catalogue: their folders tell."""
    states = []
    for note in sorted(folder.glob(f"*{MARK}*/{NOTE}")):
        name, _, _ = note.parent.name.rpartition("-")
        with contextlib.suppress(OSError, ValueError, TypeError):
            found = _Note(**json.loads(note.read_text(encoding="utf-8")))
            states.append(EnvironmentState(name, "framework", note.parent, True, found.size_bytes))
    return states


def environment_folder(wanted: Environment, root: Path | None = None) -> Path:
    """Where it is, or would be: the name carries what decides its contents."""
    interpreter = f"{platform.python_implementation()} {platform.python_version()} {sysconfig.get_platform()}"
    decides = hashlib.sha256(wanted.lock.read_bytes() + interpreter.encode())
    return (root or cache_root()) / "envs" / f"{wanted.name}-{decides.hexdigest()[:12]}"


def _built(wanted: Environment, folder: Path) -> BuiltEnvironment | None:
    try:
        note = _Note(**json.loads((folder / NOTE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    python = _python(wanted, folder)
    if not python.exists():  # the interpreter it stands on was removed or moved
        return None
    return BuiltEnvironment(
        wanted.name, python, note.lock_sha256, folder, note.size_bytes, note.build_s, reused=True
    )


def _build(wanted: Environment, folder: Path, on_progress: OnProgress) -> BuiltEnvironment:
    began = time.monotonic()
    _remove_parts(folder)
    part = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        if wanted.kind == "model":
            install_into_folder(wanted, part, on_progress)
        else:
            create_venv(wanted, part, on_progress)
            install_into_venv(wanted, part, on_progress)
        lock_sha256 = hashlib.sha256(wanted.lock.read_bytes()).hexdigest()
        note = _Note(lock_sha256, platform.python_version(), _size_bytes(part), time.monotonic() - began)
        (part / NOTE).write_text(json.dumps(asdict(note), indent=1), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)  # unusable, or it would have been found
        part.chmod(0o755)
        part.rename(folder)
    finally:
        _remove_parts(folder)
    on_progress(f"{wanted.name}: ready in {note.build_s:.0f} s, {note.size_bytes / 1e6:.0f} MB")
    return BuiltEnvironment(
        wanted.name,
        _python(wanted, folder),
        note.lock_sha256,
        folder,
        note.size_bytes,
        note.build_s,
        reused=False,
    )


@contextmanager
def one_builder(target: Path, name: str, on_progress: OnProgress) -> Iterator[None]:
    """Only one process at a time makes `target`; the others wait for it."""
    lock = filelock.FileLock(target.with_name(f"{target.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        on_progress(f"{name}: another process is building it, waiting")
        try:
            lock.acquire(timeout=WAIT_FOR_OTHER_BUILDER_S)
        except filelock.Timeout as error:
            raise EnvironmentFailed(
                f"Another process has been building {name!r} for {WAIT_FOR_OTHER_BUILDER_S // 60} minutes. "
                f"Stop it, then try again; its lock is {lock.lock_file}."
            ) from error
    try:
        yield
    finally:
        lock.release()


def _remove_parts(folder: Path) -> None:
    """What a failed or killed build leaves. Only called while no other builder can be at work."""
    for part in folder.parent.glob(f"{folder.name}.*.part"):
        shutil.rmtree(part, ignore_errors=True)


def _python(wanted: Environment, folder: Path) -> Path:
    return Path(sys.executable) if wanted.kind == "model" else folder / "bin" / "python"


def _size_bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
