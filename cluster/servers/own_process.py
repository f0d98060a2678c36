"""A model server as a process of ours: a line of JSON in, a line out, and it dies with its parent."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shared.errors import NodeFailed

STOP_TIMEOUT_S = 5.0
LOG_TAIL_BYTES = 2000


class OwnProcess:
    """The child ends when its stdin does, so that not even `kill -9` of this process leaves it behind."""

    def __init__(
        self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._command = list(command)
        self._log = log
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

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
            raise NodeFailed(f"The model server cannot be started: {error}") from error
        line = self._handshake(config, timeout_s)
        try:
            ready = json.loads(line)
        except ValueError:
            ready = None
        if not isinstance(ready, dict):
            self.stop()
            raise NodeFailed(
                f"The model server was not ready within {timeout_s:g} s, or ended. "
                f"The end of its log ({self._log}):\n{self.log_tail() or '(empty)'}"
            )
        return ready

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

    def _handshake(self, config: dict[str, Any], timeout_s: float) -> bytes:
        """The child's first line; what there is of it when the child ends or the time is up."""
        assert self._process and self._process.stdin and self._process.stdout  # noqa: S101, PT018 - just made
        deadline = time.monotonic() + timeout_s
        line = b""
        try:
            self._process.stdin.write(json.dumps(config).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return line
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n") and selector.select(max(0.0, deadline - time.monotonic())):
                chunk = os.read(self._process.stdout.fileno(), 65536)
                if not chunk:
                    break
                line += chunk
        return line
