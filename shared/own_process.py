"""A process of ours that is told things in lines and answers in lines, and dies with its parent."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shared.errors import NodeFailed

STOP_TIMEOUT_S = 5.0
LOG_TAIL_BYTES = 2000
CHUNK_BYTES = 1 << 20


class OwnProcess:
    """The child ends when its stdin does, so that not even `kill -9` of this process leaves it behind."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
        *,
        called: str = "The model server",
    ) -> None:
        """`called`: its name in messages, at the beginning of a sentence."""
        self._called = called
        self._command = list(command)
        self._log = log
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._asking = threading.Lock()

    def start(self, config: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Hand over `config`, and return what the child says when it is ready."""
        self.stop()
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=self._environment,
                    start_new_session=True,  # a Ctrl-C in the terminal is the driver's to handle
                )
        except OSError as error:
            raise NodeFailed(f"{self._called} cannot be started: {error}") from error
        try:
            ready = json.loads(self._exchange(json.dumps(config).encode(), timeout_s))
        except ValueError:
            ready = None
        if not isinstance(ready, dict):
            self.stop()
            raise NodeFailed(
                f"{self._called} was not ready within {timeout_s:g} s, or ended. "
                f"The end of its log ({self._log}):\n{self.log_tail() or '(empty)'}"
            )
        return ready

    def ask(self, message: bytes, timeout_s: float) -> bytes:
        """Say one line and give the line that comes back. Raises NodeFailed when none does."""
        with self._asking:
            line = self._exchange(message, timeout_s) if self._process else b""
        if not line.endswith(b"\n"):
            raise NodeFailed(f"{self._called} does not answer: it ended, or took over {timeout_s:g} s.")
        return line

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def pids(self) -> list[int]:
        return [self._process.pid] if self._process and self.alive else []

    def log_tail(self) -> str:
        try:
            with self._log.open("rb") as log:
                log.seek(max(0, self._log.stat().st_size - LOG_TAIL_BYTES))
                return log.read().decode("utf-8", "replace").strip()
        except OSError:
            return ""

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin and process.stdout  # noqa: S101, PT018 - both were asked for
        for stop in (process.stdin.close, process.terminate, process.kill):
            try:
                stop()
            except BrokenPipeError:
                continue  # it ended before it had read its config
            try:
                process.wait(STOP_TIMEOUT_S)
                break
            except subprocess.TimeoutExpired:
                continue
        process.stdout.close()

    def _exchange(self, message: bytes, timeout_s: float) -> bytes:
        """The child's next line; what there is of it when the child ends or the time is up."""
        process = self._process
        assert process and process.stdin and process.stdout  # noqa: S101, PT018 - both were asked for
        deadline = time.monotonic() + timeout_s
        line = bytearray()
        try:
            process.stdin.write(message + b"\n")
            process.stdin.flush()
        except (BrokenPipeError, ValueError):  # it ended, or was stopped meanwhile
            return b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n") and selector.select(max(0.0, deadline - time.monotonic())):
                chunk = os.read(process.stdout.fileno(), CHUNK_BYTES)
                if not chunk:
                    break
                line += chunk
        return bytes(line)
