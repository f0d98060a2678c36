"""The other end of `child`: start a process, talk with it in lines of JSON, count its processor time."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import psutil

from runtime_envs import tied
from shared.errors import InternalError

ROOT = Path(__file__).resolve().parent.parent
STOP_TIMEOUT_S = 10.0
RUN_TIMEOUT_S = 1800.0
LOG_TAIL_CHARACTERS = 1500


class ProcessFailed(InternalError):
    """A process of a benchmark did not start, died or did not answer."""


class LineProcess:
    """Runs with `with`; what it says elsewhere than in answers goes to `log`."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        config: Mapping[str, Any],
        *,
        variables: Mapping[str, str] | None = None,
        timeout_s: float = 60,
    ) -> None:
        self._command, self._log = list(command), log
        self._config, self._timeout_s = dict(config), timeout_s
        self._variables = child_variables() | dict(variables or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.said: dict[str, Any] = {}
        """Its first answer: what it says when it is ready."""

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = tied_process(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._variables,
                cwd=ROOT,
            )
        try:
            self.said = self.ask(self._config, self._timeout_s)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ask(self, message: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        """Raises ProcessFailed when no whole line comes back in time."""
        process = self._running
        assert process.stdin and process.stdout  # noqa: PT018 - both were asked for
        try:
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise ProcessFailed(self._failure("has ended")) from None
        line, deadline = b"", time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise ProcessFailed(self._failure(f"did not answer within {timeout_s:g} s"))
                if not (piece := os.read(process.stdout.fileno(), 65536)):
                    raise ProcessFailed(self._failure("has ended"))
                line += piece
        answer: dict[str, Any] = json.loads(line)
        return answer

    @property
    def cpu_s(self) -> dict[str, float]:
        """User and system seconds so far by process, see `cpu_seconds`."""
        return cpu_seconds(self._running.pid)

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        end(process)
        if process.stdout:
            process.stdout.close()

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process, "it runs only inside its `with`"
        return self._process

    def _failure(self, what: str) -> str:
        return f"{' '.join(self._command[1:])} {what}. The end of its log:\n{log_tail(self._log)}"


def tied_process(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """A process that dies with this one, however this one ends."""
    tie = [sys.executable, "-I", tied.__file__, str(os.getpid())]
    process: subprocess.Popen[bytes] = subprocess.Popen([*tie, *command], **options)
    return process


def run_child(folder: Path, arguments: Sequence[str], timeout_s: float = RUN_TIMEOUT_S) -> str:
    """What `python ARGUMENTS` says until it ends. Raises ProcessFailed when it fails or takes too long."""
    log = folder / "child.log"
    with log.open("ab") as errors:
        process = tied_process(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            env=child_variables() | {"PATH": os.environ.get("PATH", "")},
        )
        try:
            said, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise ProcessFailed(f"{' '.join(arguments)} took longer than {timeout_s:g} s.") from None
    if process.returncode:
        raise ProcessFailed(f"{' '.join(arguments)} failed. The end of its log:\n{log_tail(log)}")
    return str(said.decode())


def end(process: subprocess.Popen[bytes]) -> None:
    """Wait for it; then ask it to end; then end it."""
    for stop in (process.terminate, process.kill):
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            stop()
    process.wait()


def cpu_seconds(pid: int) -> dict[str, float]:
    """Of a process and everything below it, by module; a child that ended is in its parent's account.

    The kernel tells whole ticks of 10 ms.
    """
    process = psutil.Process(pid)
    found: dict[str, float] = {}
    for one in (process, *process.children(recursive=True)):
        try:
            name, times = _module(one.cmdline()), one.cpu_times()
        except psutil.NoSuchProcess:  # it ended meanwhile
            continue
        found[name] = found.get(name, 0.0) + sum(times[:4])
    return found


def _module(command: Sequence[str]) -> str:
    """`python -m cluster.gateway` is "cluster.gateway"."""
    after = command[command.index("-m") + 1 :] if "-m" in command else command
    return after[0] if after else "(ended)"


def log_tail(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace").strip() if log.exists() else ""
    return text[-LOG_TAIL_CHARACTERS:] or "(empty)"


def child_variables() -> dict[str, str]:
    """Our environment without our settings, and with no proxy before addresses of this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LEVELFIELD_", "RAY_"))}
    kept.pop("VIRTUAL_ENV", None)
    if cache := os.environ.get("LEVELFIELD_CACHE"):
        kept["LEVELFIELD_CACHE"] = cache
    return kept | {"PYTHONPATH": str(ROOT), "NO_PROXY": "*", "no_proxy": "*"}
