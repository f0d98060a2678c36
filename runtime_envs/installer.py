"""Run uv, pass on what it says, and turn its failures into errors that say what to do."""

from __future__ import annotations

import collections
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import uv

from runtime_envs import tied
from runtime_envs.catalog import FRAMEWORKS, Environment
from shared.errors import EnvironmentFailed

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_S = 1800
"""For one uv command. The longest measured, 22 packages of model weights over a slow line, is far below."""
HTTP_TIMEOUT_S = 60
QUOTED_LINES = 8
"""Of uv's last words, in an error message."""

OnProgress = Callable[[str], None]

_PACKAGE = re.compile(r"`([A-Za-z0-9_.-]+)(?:==| @ |`)|/simple/([A-Za-z0-9_.-]+)/|\b([A-Za-z0-9_.-]+)==[0-9]")
# First match wins.
_CURES = {
    r"os error 28|No space left|Disk quota": (
        "The disk is full. Free some space, or set LEVELFIELD_CACHE (and UV_CACHE_DIR) to a folder on a disk "
        "that has more."
    ),
    r"os error 13|os error 30|Permission denied|Read-only file system": (
        "There is no permission to write. Set LEVELFIELD_CACHE (and UV_CACHE_DIR) to a folder that you own."
    ),
    r"[Hh]ash mismatch": (
        "What was downloaded is not what the lock names: do not use it. Clear it with `uv cache clean`, "
        "check which package index this machine uses, and try again."
    ),
    r"no wheels|no usable wheels|(no|a) source distribution|only wheels|no matching distribution": (
        "It has no wheel for this Python and platform. Use CPython 3.11, 3.12 or 3.13 on Linux or macOS."
    ),
    r"dns error|[Cc]onnect|timed out|error sending request|Failed to (fetch|download)|client error": (
        "The package index cannot be reached. Check the network, the proxy (HTTPS_PROXY) and the index "
        "(UV_DEFAULT_INDEX), and try again: what was downloaded is kept."
    ),
    r"not found in the package registry|no version of|no versions of|unsatisfiable": (
        "The package index that this machine uses does not have it. Point UV_DEFAULT_INDEX at one that does."
    ),
}
OTHER_CURE = "Read uv's words above; `levelfield envs build` tries again."


def create_venv(wanted: Environment, folder: Path, on_progress: OnProgress) -> None:
    # Relocatable, because the folder gets its final name only when it is complete.
    _uv(
        wanted,
        ["venv", "--quiet", "--clear", "--relocatable", "--python", sys.executable, str(folder)],
        on_progress,
    )


def install_into_venv(wanted: Environment, folder: Path, on_progress: OnProgress) -> None:
    # Compiled now, or the first run of each framework would pay for it: `import ray` alone takes seconds.
    _uv(
        wanted,
        [*_install(wanted), "--compile-bytecode", "--python", str(folder / "bin" / "python")],
        on_progress,
    )


def install_into_folder(wanted: Environment, folder: Path, on_progress: OnProgress) -> None:
    """Unpack packages that carry files only; nothing of them is ever imported."""
    _uv(wanted, [*_install(wanted), "--python", sys.executable, "--target", str(folder)], on_progress)


def _install(wanted: Environment) -> list[str]:
    # A lock is complete: --no-deps installs it as it stands. Wheels only, so nothing is compiled here.
    command = ["pip", "install", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    return [*command, "--requirements", str(wanted.lock)]


def _uv(wanted: Environment, arguments: Sequence[str], on_progress: OnProgress) -> None:
    variables = {
        name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}
    }
    variables.setdefault("UV_HTTP_TIMEOUT", str(HTTP_TIMEOUT_S))
    variables["NO_COLOR"] = "1"
    process = subprocess.Popen(
        [sys.executable, "-I", tied.__file__, str(os.getpid()), uv.find_uv_bin(), *arguments],
        cwd=wanted.lock.parent,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    too_slow = threading.Timer(TIMEOUT_S, process.kill)
    too_slow.start()
    said: collections.deque[str] = collections.deque(maxlen=200)
    try:
        assert process.stderr is not None  # noqa: S101 - for the type checker: it is a pipe
        for line in process.stderr:
            said.append(line.rstrip())
            if line.strip() and not line.lstrip().startswith(("+", "Using Python")):
                on_progress(f"{wanted.name}: {line.strip()}")
        status = process.wait()
    finally:
        too_slow.cancel()
        process.kill()
        process.wait()
    if status:
        raise EnvironmentFailed(explain_failure(wanted, "\n".join(said) or f"uv ended with status {status}"))


def explain_failure(wanted: Environment, said: str) -> str:
    """Name who lacks what, why, and the cure."""
    match = _PACKAGE.search(said)
    package = next((group for group in match.groups() if group), None) if match else None
    cure = cure_for(said)
    quoted = "\n".join(f"  uv: {line}" for line in said.splitlines()[-QUOTED_LINES:])
    at = f" at the package {package!r}" if package else ""
    return f"{_who(wanted)} failed{at}.\n{quoted}\n{cure}"


def cure_for(said: str) -> str:
    """What to do about an error that uv told of."""
    return next((cure for pattern, cure in _CURES.items() if re.search(pattern, said)), OTHER_CURE)


def _who(wanted: Environment) -> str:
    titles = [framework.title for framework in FRAMEWORKS.values() if framework.environment == wanted.group]
    others = {
        "model": "the model weights",
        "server": "the model server",
        "documents": "for `levelfield index`",
        "peer": "for `make benchmark`",
    }
    what = " and ".join(titles) or others.get(wanted.kind, "")
    return f"Building the environment {wanted.name!r} ({what})"
