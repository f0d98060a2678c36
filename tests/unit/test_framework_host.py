"""A run's process: started in its framework's environment without Ray, spoken with, and ended with its host."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cluster.framework_host import ROOT, FrameworkHost, ProcessDied
from cluster.framework_worker import BootReport
from cluster.process_tree import end_marked, end_tree, is_dead
from shared.contract import RunRequest

pytestmark = pytest.mark.timeout(120)

PATIENCE_S = 30.0
ADAPTER = "tests.unit.odd_adapter"
HOSTS = """
import os, threading, time
from cluster.framework_host import FrameworkHost
host = FrameworkHost(os.sched_getaffinity(0))
def start():
    print(host.start("tests.unit.odd_adapter", {}).pid, flush=True)
    time.sleep(600)
threading.Thread(target=start).start()
"""


@pytest.fixture
def host() -> Iterator[FrameworkHost]:
    """On one core. It keeps to that itself, and is this process."""
    cores = os.sched_getaffinity(0)
    yield FrameworkHost([min(cores)])
    os.sched_setaffinity(0, cores)


@pytest.fixture
def booted(host: FrameworkHost, tmp_path: Path) -> Iterator[BootReport]:
    yield host.start(ADAPTER, {"OF_THE_RUN": str(tmp_path)})
    end_marked(str(tmp_path))


def request(run_id: str) -> RunRequest:
    return RunRequest(run_id, "http://h/v1", "http://h/tools", "m", (), 0.0, 7, 10.0, 8)


def test_a_run_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch, host: FrameworkHost) -> None:
    """It has its host's cores, the run's variables and none of Ray's; what it prints does not disturb its answer."""
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    report = host.start(ADAPTER, {"OF_THE_RUN": "its own"})
    outcome = host.execute(report.pid, request("works")).outcome
    assert outcome
    assert outcome.text == "report"
    assert outcome.details["variables"]["OF_THE_RUN"] == "its own"
    assert [name for name in outcome.details["variables"] if name.startswith("RAY_")] == []
    assert outcome.details["cores"] == sorted(os.sched_getaffinity(0))[:1]
    host.end(report.pid)
    assert not psutil.pid_exists(report.pid)


def test_it_stays_until_it_is_ended(host: FrameworkHost, booted: BootReport) -> None:
    """After its answer it is still there, with what its framework left: its node ends both."""
    host.execute(booted.pid, request("leaves"))
    (left,) = psutil.Process(booted.pid).children()
    end_tree(booted.pid)
    _until(lambda: is_dead(booted.pid) and is_dead(left.pid))


def test_an_adapter_that_cannot_be_imported(host: FrameworkHost) -> None:
    """Why is told in words, and no process stays."""
    before = set(psutil.Process().children())
    with pytest.raises(ProcessDied, match=r"No module named 'tests.unit.no_adapter'"):
        host.start("tests.unit.no_adapter", {})
    assert set(psutil.Process().children()) <= before


def test_one_that_dies_is_noticed_at_once(host: FrameworkHost, booted: BootReport) -> None:
    """Even if a process that it leaves behind holds the other end of what they speak through."""
    tree = psutil.Process(booted.pid)
    with pytest.raises(ProcessDied, match="status 3"):
        host.execute(booted.pid, request("dies"))
    assert not tree.is_running()


def test_one_that_hangs_is_ended(host: FrameworkHost, booted: BootReport) -> None:
    """Stopped in the middle of a run it obeys nothing but its end, and whoever waits for it is told."""
    told: list[str] = []

    def execute() -> None:
        try:
            host.execute(booted.pid, request("hangs"))
        except ProcessDied as error:
            told.append(str(error))

    waiting = threading.Thread(target=execute)
    waiting.start()
    _until(lambda: psutil.Process(booted.pid).status() == psutil.STATUS_STOPPED)
    host.end(booted.pid)
    waiting.join(PATIENCE_S)
    assert told == ["It ended with status -9."]


def test_it_ends_with_its_host() -> None:
    """A host that is killed takes the processes of its runs along, whatever they are doing."""
    command = [sys.executable, "-c", HOSTS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as killed:
        assert killed.stdout
        pid = int(killed.stdout.readline())
        assert not is_dead(pid)
        killed.kill()
    _until(lambda: is_dead(pid))


def _until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)
