"""The kinds of isolation: how each makes the namespaces that a program is shut into."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from shared.sandbox.interpreter import Interpreter


@dataclass(frozen=True, slots=True)
class Isolation:
    """A way to new namespaces in which `lock_down` runs with the right to mount, and as process 1."""

    name: str
    tool: str
    """What has to be installed."""
    builds_root: bool
    """Whether it makes the root folder too; else `lock_down` does."""
    command: Callable[[Interpreter], list[str]]
    """What stands before the arguments of the interpreter."""


def _bubblewrap(python: Interpreter) -> list[str]:
    return [
        "bwrap",
        *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
        *([] if os.geteuid() == 0 else ["--unshare-user"]),
        *("--as-pid-1", "--hostname", "sandbox"),
        *("--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"),
        *("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"),
        # Folders that it makes by itself only their owner can enter.
        *(word for folder in _folders(python) for word in ("--dir", folder)),
        *(word for source, inside in python.binds for word in ("--ro-bind", source, inside)),
        *(word for folder in python.hidden for word in ("--tmpfs", folder, "--remount-ro", folder)),
        *("--dir", "/scratch", "--remount-ro", "/", "--chdir", "/"),
        *("--", python.inside),
    ]


def _folders(python: Interpreter) -> list[str]:
    """That lead to the files inside, outer ones first."""
    parents = {str(folder) for _, inside in python.binds for folder in PurePosixPath(inside).parents}
    return sorted(parents - {"/"})


def _unshare(python: Interpreter) -> list[str]:
    return [
        *("unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup"),
        *([] if os.geteuid() == 0 else ["--map-current-user", "--keep-caps"]),
        *("--fork", "--", python.executable),
    ]


KINDS = (
    Isolation("bubblewrap", "bwrap", builds_root=True, command=_bubblewrap),
    Isolation("unshare", "unshare", builds_root=False, command=_unshare),
)
"""The one that more people have tried to break first."""
