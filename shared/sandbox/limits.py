"""What a program may use, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MIB = 1 << 20

How = Literal["exited", "killed", "cpu_limit", "wall_limit"]
"""`killed`: by a signal that is no limit's, e.g. a crash of the interpreter."""


@dataclass(frozen=True, slots=True)
class Limits:
    cpu_s: int = 2
    """Of processor time, each process."""
    wall_s: float = 8
    """From the program's start to the end of all that it started."""
    memory_bytes: int = 256 * MIB
    """Of address space, each process: all together have at most `processes` times that."""
    processes: int = 4
    """Processes and threads at one time, the program's own included."""
    file_bytes: int = MIB
    """Each file; standard output and standard error are one each."""
    scratch_bytes: int = 8 * MIB
    """All files of its folder together."""
    scratch_files: int = 64
    open_files: int = 64


@dataclass(frozen=True, slots=True)
class Ended:
    """A program's end. Its output is what it wrote up to `Limits.file_bytes`, with bad UTF-8 replaced."""

    how: How
    exit_code: int | None
    """None unless it exited."""
    signal: int | None
    """None unless a signal ended it."""
    stdout: str
    stderr: str
    cut: bool
    """Whether one of the two reached its limit."""
