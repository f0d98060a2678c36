"""A run's processes: all of them are ended, wherever they went, and their memory is bounded."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

from cluster.memory_watch import MemoryWatch
from cluster.process_tree import end_marked, end_tree, own_mib, tree_of

PATIENCE_S = 60.0
ADOPTS = "from cluster.framework_worker import adopt_orphans; adopt_orphans()\n"
LEAVES_ONE = """
import subprocess, sys
subprocess.run(["sh", "-c", "setsid sleep 600 >/dev/null 2>&1 &"])
"""
WAITS = """
print("ready", flush=True)
import time
time.sleep(600)
"""


@contextmanager
def program(text: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python program that has said that it is ready."""
    command = [sys.executable, "-c", text]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            for child in (
                psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            ):
                child.kill()
            process.kill()


def test_what_left_its_session_is_ended_too() -> None:
    """A process whose parent is gone and that has a session of its own still ends with the run."""
    with program(ADOPTS + LEAVES_ONE + WAITS) as process:
        (left,) = psutil.Process(process.pid).children(recursive=True)
        _until(lambda: left.cmdline()[-1:] == ["600"])  # it is the shell's child before
        end_tree(process.pid)
        assert process.wait(PATIENCE_S) == -9
        assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE


def test_a_process_that_is_gone() -> None:
    """Ending it again is no error, and it holds no memory."""
    with program(WAITS) as process:
        process.kill()
        process.wait(PATIENCE_S)
        end_tree(process.pid)
        assert tree_of(process.pid) == []


def test_memory_counts_children_and_is_bounded() -> None:
    """A child that takes too much ends the run's process with it, and the figures are told."""
    takes = "held = bytearray(200 << 20)\nheld[::4096] = bytes(len(held[::4096]))\n"
    child = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {takes + WAITS!r}])\n"
    with program(child + WAITS) as process, MemoryWatch(process.pid, 150, sample_s=0.05) as watch:
        assert process.wait(PATIENCE_S) == -9
        _until(lambda: watch.exceeded)
    assert watch.exceeded
    assert "a run may hold 150 (limits.memory_mib)" in watch.exceeded


def test_memory_below_the_bound() -> None:
    """Nothing happens to a process that holds less."""
    with program(WAITS) as process, MemoryWatch(process.pid, 4096, sample_s=0.01) as watch:
        time.sleep(0.2)
        assert process.poll() is None
        assert 0 < sum(map(own_mib, tree_of(process.pid))) < 4096
    assert watch.exceeded is None


def _until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_a_dead_program_left_is_known_by_its_environment() -> None:
    """Nobody is the parent of what a program leaves that dies by itself: a text in its environment tells it."""
    mark = f"/tmp/run-{time.monotonic_ns()}"
    environment = {**os.environ, "XDG_CACHE_HOME": f"{mark}/cache"}
    with (
        subprocess.Popen(["sleep", "600"], env=environment) as left,
        subprocess.Popen(["sleep", "600"]) as other,
    ):
        try:
            end_marked(mark)
            assert left.wait(PATIENCE_S) != 0
            assert other.poll() is None
        finally:
            left.kill()
            other.kill()
