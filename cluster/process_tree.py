"""End a process with all that descends from it, whatever sessions and groups they moved to."""

from __future__ import annotations

import contextlib

import psutil

ROUNDS = 20
"""Looks for descendants before it gives up: each ends all that the one before had not seen."""


def end_tree(pid: int) -> None:
    """Kill the process `pid` and its descendants; one that is gone is no error."""
    stop_and_end_descendants(pid)
    with contextlib.suppress(psutil.Error):
        psutil.Process(pid).kill()


def stop_and_end_descendants(pid: int) -> None:
    """Stop the process and kill its descendants.

    While it is stopped it starts nothing more, and stays the parent of what its children leave behind, as far
    as it made itself their reaper (`framework_worker.adopt_orphans`).
    """
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(pid)
        top.suspend()
        for _ in range(ROUNDS):
            below = [each for each in top.children(recursive=True) if not is_dead(each.pid)]
            if not below:
                return
            for each in below:
                _kill(each)
            psutil.wait_procs(below, timeout=0.1)


def tree_of(pid: int) -> list[psutil.Process]:
    """The process and its descendants; empty when it is gone. Reads the whole process table."""
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.Error:
        return []


def end_marked(text: str) -> None:
    """Kill every process with `text` in its environment. Reads the whole process table."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(text in value for value in process.environ().values()):
                process.kill()


def own_mib(process: psutil.Process) -> float:
    """Memory without what it shares with others, such as libraries and Ray's object store; 0: it is gone."""
    try:
        memory = process.memory_info()
    except psutil.Error:
        return 0.0
    return max(0, memory.rss - memory.shared) / 2**20


def is_dead(pid: int) -> bool:
    """A zombie waits for a parent that is stopped or busy, and does nothing more."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.Error):
        process.kill()
