"""What of Python a program sees: the interpreter, its standard library and the libraries that those load."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HOME = "/python"
"""Where the interpreter is inside."""

LDD_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Interpreter:
    executable: str
    """Path on this machine."""
    inside: str
    """Path in the sandbox."""
    binds: tuple[tuple[str, str], ...]
    """Path on this machine, path in the sandbox: seen there, and read-only."""
    hidden: tuple[str, ...]
    """Folders in the sandbox that are below those and shown empty: what somebody installed."""


@cache
def interpreter() -> Interpreter:
    """The one that this process runs on, without its virtual environment. Raises OSError without `ldd`."""
    executable = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    library = Path(sysconfig.get_path("stdlib")).resolve()
    inside = f"{HOME}/{sys.platlibdir}/{library.name}"
    python = f"{HOME}/bin/{library.name}"
    extensions = sorted((library / "lib-dynload").glob("*.so"))
    return Interpreter(
        executable=str(executable),
        inside=python,
        binds=(
            (str(executable), python),
            (str(library), inside),
            *((path, path) for path in _loaded([executable, *extensions])),
        ),
        hidden=tuple(
            f"{inside}/{name}" for name in ("site-packages", "dist-packages") if (library / name).is_dir()
        ),
    )


def _loaded(files: list[Path]) -> list[str]:
    """The shared libraries and the loader that these files name, as the loader finds them here."""
    listing = subprocess.run(
        ["ldd", *map(str, files)], capture_output=True, text=True, timeout=LDD_TIMEOUT_S, check=False
    )
    return sorted(set(re.findall(r"(/\S+) \(0x", listing.stdout)))
