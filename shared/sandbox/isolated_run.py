"""One run of a program in one kind of isolation, from its files to how it ended."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import platform
import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from shared.errors import SandboxFailed
from shared.sandbox.interpreter import HOME, interpreter
from shared.sandbox.isolation import Isolation
from shared.sandbox.limits import Ended, How, Limits
from shared.sandbox.system_calls import system_call_filter

LOCK_DOWN = Path(__file__).with_name("lock_down.py").read_text(encoding="utf-8")

ENVIRONMENT = {
    "HOME": "/scratch",
    "LANG": "C.UTF-8",
    "PATH": f"{HOME}/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    # The order of a set of texts is the same in every run.
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "TMPDIR": "/scratch",
}

USERS = range(61184, 65520)
"""Nobody's: the range of systemd's DynamicUser=. Each run draws one, so its processes are counted apart."""

START_S = 60
"""A sandbox starts in a fraction of a second; a loaded machine is given this long."""

READ_ONLY = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def run_isolated(isolation: Isolation, program: str, stdin: str, limits: Limits) -> Ended:
    """Blocks until all that the program started is gone. Raises SandboxFailed when it does not start."""
    with ExitStack() as files:
        given, asked = (files.enter_context(_memory_file(text)) for text in (program, stdin))
        stdout, stderr, status = (files.enter_context(_memory_file()) for _ in range(3))
        command = _command(isolation, limits, program_fd=given, status_fd=status)
        _wait(command, limits.wall_s + START_S, (asked, stdout, stderr), (given, status))
        said = _text(status, limits).split("\n")
        if said[0] != "locked":
            cause = _text(stderr, limits).strip().splitlines() or ["it ended without a word"]
            raise SandboxFailed(f"The sandbox ({isolation.name}) did not start: {cause[-1][:300]}")
        how, code = _end(said[1], limits)
        return Ended(
            how=how,
            exit_code=code if code is not None and code >= 0 else None,
            signal=-code if code is not None and code < 0 else None,
            stdout=_text(stdout, limits),
            stderr=_text(stderr, limits),
            cut=max(os.fstat(stdout).st_size, os.fstat(stderr).st_size) >= limits.file_bytes,
        )


def _command(isolation: Isolation, limits: Limits, program_fd: int, status_fd: int) -> list[str]:
    python = interpreter()
    # Root's processes are not counted by the kernel, and root alone may become somebody else.
    user = random.choice(USERS) if os.geteuid() == 0 else None  # noqa: S311 - apart, not secret
    order = {
        "binds": None if isolation.builds_root else python.binds,
        "hidden": python.hidden,
        "program_fd": program_fd,
        "status_fd": status_fd,
        "wall_s": limits.wall_s,
        "scratch_bytes": limits.scratch_bytes,
        "scratch_files": limits.scratch_files,
        "user": user,
        "filter": base64.b64encode(system_call_filter(platform.machine())).decode(),
        "rlimits": _rlimits(limits, waiting=1 if user or isolation.builds_root else 2),
        "command": [python.inside, "-s", "-P", "program.py"],
        "environment": ENVIRONMENT,
    }
    return [*isolation.command(python), "-I", "-S", "-c", LOCK_DOWN, json.dumps(order)]


def _rlimits(limits: Limits, waiting: int) -> dict[str, tuple[int, int]]:
    """In this order: the last ones would hinder setting the others.

    `waiting` processes are counted with the program's: process 1, and an ordinary user's `unshare`.
    """
    return {
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_MEMLOCK": (0, 0),
        "RLIMIT_MSGQUEUE": (0, 0),
        # The signal of the first can be caught, the second kills.
        "RLIMIT_CPU": (limits.cpu_s, limits.cpu_s + 1),
        "RLIMIT_FSIZE": (limits.file_bytes, limits.file_bytes),
        "RLIMIT_NOFILE": (limits.open_files, limits.open_files),
        "RLIMIT_NPROC": (limits.processes + waiting, limits.processes + waiting),
        "RLIMIT_AS": (limits.memory_bytes, limits.memory_bytes),
    }


def _wait(command: list[str], wait_s: float, standard: tuple[int, int, int], others: tuple[int, ...]) -> None:
    stdin, stdout, stderr = standard
    process = subprocess.Popen(
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        pass_fds=others,
        env={"PATH": os.environ.get("PATH", os.defpath)},
        cwd="/",
        start_new_session=True,
    )
    try:
        process.wait(wait_s)
    except subprocess.TimeoutExpired:
        raise SandboxFailed(f"The sandbox did not end within {wait_s:.0f} s.") from None
    finally:
        process.kill()
        process.wait()


def _end(line: str, limits: Limits) -> tuple[How, int | None]:
    """From the second line of the status. Without one process 1 was killed itself, for memory perhaps."""
    if line == "wall_limit":
        return "wall_limit", None
    code, _, cpu_s = line.partition(" ")
    if not cpu_s:
        return "killed", -signal.SIGKILL
    ended = int(code)
    over = float(cpu_s) >= limits.cpu_s
    if ended == -signal.SIGXCPU or (ended == -signal.SIGKILL and over):
        return "cpu_limit", ended
    return ("killed" if ended < 0 else "exited"), ended


@contextmanager
def _memory_file(text: str | None = None) -> Iterator[int]:
    """A file without a name. With a text it can only be read."""
    file = os.memfd_create("sandbox", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        if text is not None:
            with os.fdopen(os.dup(file), "wb") as writer:
                writer.write(text.encode("utf-8", "replace"))
            os.lseek(file, 0, os.SEEK_SET)
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, READ_ONLY)
        yield file
    finally:
        os.close(file)


def _text(file: int, limits: Limits) -> str:
    return os.pread(file, limits.file_bytes, 0).decode("utf-8", "replace")
