"""The real command as a user's process, and what it leaves behind: files, records, processes."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import yaml

ROOT = Path(__file__).resolve().parents[2]
LEVELFIELD = [sys.executable, "-m", "cluster"]
MARK = "FUNCTIONAL_TEST_MARK"
SAMPLE_S = 0.25
RUN_PATH = re.compile(rb"/runs/[A-Za-z0-9_-]{20,}")
"""A run's secret path at the gateway; a run's folder has dots in its name."""
# A started cluster's settings must not leak into a test's own.
OURS = ("LEVELFIELD_", "RAY_")
FINISH_S = 180
"""A small plan takes about half a minute on two cores, and two minutes when others keep them busy."""
KEPT = {"LEVELFIELD_CACHE"}
UNBOUNDED = {"other_share": None, "steal_share": None, "io_pressure": None, "memory_pressure": None}


class Command:
    """A running `levelfield` and all processes below it, even those that it has left since."""

    def __init__(self, arguments: list[str], folder: Path, variables: dict[str, str]) -> None:
        self._mark = secrets.token_hex(8)
        self._log = folder / f"output-{self._mark}.txt"
        # Short, because sockets are kept in it and their paths may have 107 characters.
        self.ray_folder = Path(tempfile.mkdtemp(prefix="lf-"))
        self._began = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*LEVELFIELD, *arguments],
                cwd=folder,  # where no .env of a developer is
                env=clean_environment()
                | {MARK: self._mark, "RAY_TMPDIR": str(self.ray_folder), "COLUMNS": "200"}
                | {"PYTHONPATH": str(ROOT)}
                | variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # signals go to this command's group, as a terminal sends them
            )
        self._seen: set[psutil.Process] = set()
        self._watch = threading.Thread(target=self._sample, daemon=True)
        self._watch.start()

    @property
    def output(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def send(self, number: signal.Signals) -> None:
        """To the command alone."""
        self._process.send_signal(number)

    def ctrl_c(self) -> None:
        """What a terminal does: SIGINT to the whole process group."""
        os.killpg(self._process.pid, signal.SIGINT)

    def kill(self) -> None:
        self._look()
        self._process.kill()
        self._process.wait(10)

    def wait(self, timeout_s: float) -> int:
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"Still running after {timeout_s:.0f} s:\n{self.output}") from None
        self._watch.join(10)
        self.seconds = time.monotonic() - self._began
        return code

    def wait_until(self, happened: Callable[[], bool], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not happened():
            assert self._process.poll() is None, f"It ended meanwhile:\n{self.output}"
            assert time.monotonic() < deadline, f"Not within {timeout_s:.0f} s:\n{self.output}"
            time.sleep(0.05)

    def processes(self, named: str) -> list[psutil.Process]:
        """Those below this command whose command line holds `named`."""
        self._look()
        return [process for process in self._running() if named in _line(process)]

    def left_behind(self, grace_s: float, ignoring: Collection[str] = ()) -> list[str]:
        """What this command started and what still runs after `grace_s`, as command lines."""
        deadline = time.monotonic() + grace_s
        while True:
            lines = [f"{process.pid} {_line(process)}" for process in self._running()]
            left = [line for line in lines if not any(name in line for name in ignoring)]
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.2)

    def end(self) -> None:
        """Whatever happened: nothing of this command stays on the machine."""
        self._look()
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
        for process in self._running():
            try:
                process.kill()
            except psutil.Error:
                continue
        shutil.rmtree(self.ray_folder, ignore_errors=True)

    def _sample(self) -> None:
        while self._process.poll() is None:
            self._look()
            time.sleep(SAMPLE_S)

    def _look(self) -> None:
        try:
            self._seen |= set(psutil.Process(self._process.pid).children(recursive=True))
        except psutil.Error:
            return

    def _running(self) -> list[psutil.Process]:
        # Ray's workers overwrite their environment with their title, so the mark alone does not find them;
        # a process that lived shorter than a sample is found by the mark.
        marked = {process for process in psutil.process_iter() if self._is_marked(process)}
        return [process for process in self._seen | marked if _is_running(process)]

    def _is_marked(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == self._mark and process.pid != self._process.pid
        except psutil.Error:
            return False


@contextmanager
def levelfield(*arguments: object, folder: Path, **variables: str) -> Iterator[Command]:
    """`levelfield ARGUMENTS` with `variables` in its environment, ended with the block."""
    command = Command([str(argument) for argument in arguments], folder, variables)
    try:
        yield command
    finally:
        command.end()


def finish(*arguments: object, folder: Path, **variables: str) -> tuple[int, str, Command]:
    """Run it to its end: exit code, what it said, and the ended command."""
    with levelfield(*arguments, folder=folder, **variables) as command:
        code = command.wait(FINISH_S)
        assert not command.left_behind(10)
        assert "Traceback" not in command.output
        return code, command.output, command


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in KEPT or not name.startswith(OURS)}


def write_plan(path: Path, **content: Any) -> Path:
    """Without bounds on what else the machine does: how busy it is while tests run is not what they are about."""
    plan = {"name": "test", "disturbance": UNBOUNDED} | content
    path.write_text(yaml.safe_dump(plan), encoding="utf-8")
    return path


def research(*items: str) -> list[dict[str, Any]]:
    """A plan's `tasks`."""
    return [{"name": "company_research", "items": list(items)}]


def records(out: Path) -> dict[str, bytes]:
    """Each attempt on disk, record and calls, as it is."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.glob("runs/*/attempt-*"))
        if not path.name.startswith(".")
    }


def attempts(out: Path) -> int:
    return len(list(out.glob("runs/*/attempt-*.json")))


def _is_running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:200]
    except psutil.Error:
        return "(gone)"
