"""End a process with all that descends from it, whatever sessions and groups they moved to."""

from __future__ import annotations

import contextlib

import psutil

ROUNDS = 20
"""Looks for descendants before it gives up: each ends all that the one before had not seen."""


def end_tree(pid: int) -> None:
    """Kill the process `pid` and its descendants; one that is gone is no error."""
    stop_and_end_descendants(pid)
    end_within(pid, 0)


def stop_and_end_descendants(pid: int) -> None:
    """Stop the process and kill its descendants.

    While it is stopped it starts nothing more, and stays the parent of what its children leave behind, as far
    as it made itself their reaper (`framework_worker.adopt_orphans`).
    """
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(pid)
        top.suspend()
        for _ in range(ROUNDS):
            below = [each for each in top.children(recursive=True) if not _is_dead(each)]
            if not below:
                return
            for each in below:
                _kill(each)
            psutil.wait_procs(below, timeout=0.1)


def end_within(pid: int, grace_s: float) -> None:
    """Let a stopped process go on, to end by itself if it was told to; after `grace_s` it is killed."""
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(pid)
        if grace_s:
            top.resume()
            if not psutil.wait_procs([top], timeout=grace_s)[1]:
                return
        top.kill()


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


def _is_dead(process: psutil.Process) -> bool:
    """A zombie waits for a parent that is stopped, and does nothing more."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.Error):
        process.kill()
