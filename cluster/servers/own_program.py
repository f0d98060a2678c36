"""A server program of somebody else's that we start, wait for and end: vLLM's and Ollama's."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from shared.errors import NodeFailed
from shared.own_process import OwnProcess

SCRIPT = Path(__file__).with_name("program_main.py")
LAUNCH_TIMEOUT_S = 20.0
"""For the process that starts the program, which is up in a fraction of a second."""
LOOK_S = 0.5
SHOWN_OF_LINE = 120
"""Characters of the log's last line in a progress display."""


class OwnProgram:
    def __init__(self, called: str, log: Path, environment: Mapping[str, str]) -> None:
        """`called`: its name in messages, at the beginning of a sentence."""
        self._called = called
        self._log = log
        self._process = OwnProcess([sys.executable, "-I", str(SCRIPT)], log, environment, called=called)

    def start(
        self,
        command: Sequence[str],
        is_ready: Callable[[], bool],
        timeout_s: float,
        on_progress: Callable[[str], None],
    ) -> None:
        """Return when it is ready. Raises NodeFailed with the end of its log when it ends or is too slow."""
        self._process.start({"command": list(command)}, LAUNCH_TIMEOUT_S)
        deadline = time.monotonic() + timeout_s
        while not is_ready():
            if not self.alive:
                raise self.failed("ended before it was ready")
            if time.monotonic() > deadline:
                self.stop()
                raise self.failed(f"was not ready within {timeout_s:g} s")
            on_progress(self.log_tail().rpartition("\n")[2][:SHOWN_OF_LINE])
            time.sleep(LOOK_S)

    @property
    def alive(self) -> bool:
        return self._process.alive

    def pids(self) -> list[int]:
        return self._process.pids()

    def log_tail(self) -> str:
        return self._process.log_tail()

    def stop(self) -> None:
        """Leave no process behind."""
        self._process.stop()

    def failed(self, how: str) -> NodeFailed:
        """An error that quotes the end of its log; `how`: what it did."""
        said = self.log_tail() or "(empty)"
        return NodeFailed(f"{self._called} {how}. The end of its log ({self._log}):\n{said}")


def free_port() -> int:
    """Of loopback. Somebody else could take it before the program does, whose log then says so."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        return int(reserved.getsockname()[1])
