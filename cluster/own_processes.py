"""The processor time of processes of ours and of all that descend from them, some of which end meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import psutil


class OwnProcesses:
    """Counts from its making. Looking is cheap; looking for descendants reads the whole process table."""

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        self._pids = pids
        # Not by times: the kernel gives a process's start only to the second of the machine's own.
        self._older = frozenset(psutil.pids())
        self._first: dict[psutil.Process, float] = {}
        self._last: dict[psutil.Process, float] = {}
        self._parents: dict[psutil.Process, int] = {}
        self.look(descendants=True)

    @property
    def cpu_s(self) -> float:
        """Up to the last look."""
        return max(0.0, sum(self._last.values()) - sum(self._first.values()))

    def look(self, *, descendants: bool = False) -> None:
        for process in self._found(descendants=descendants):
            self._add(process)
        now = {process: _cpu_s(process) for process in self._last}
        alive = {process.pid for process, seconds in now.items() if seconds is not None}
        for process, seconds in now.items():
            if seconds is not None:
                self._last[process] = seconds
            elif self._parents[process] in alive:
                del self._last[process]  # its parent has waited for it, and carries its time from then on

    def _found(self, *, descendants: bool) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        for pid in self._pids():
            try:
                process = psutil.Process(pid)
                found.append(process)
                if descendants:
                    found += process.children(recursive=True)
            except psutil.Error:
                continue  # it ended meanwhile
        return found

    def _add(self, process: psutil.Process) -> None:
        """A process that is older than this count brings in only what it uses from now on."""
        if process in self._first:
            return
        seconds = _cpu_s(process)
        try:
            parent = process.ppid()
        except psutil.Error:
            return
        if seconds is not None:
            self._first[process] = seconds if process.pid in self._older else 0.0
            self._last[process] = seconds
            self._parents[process] = parent


def _cpu_s(process: psutil.Process) -> float | None:
    """Its own and that of children it has waited for; None when it is gone."""
    try:
        # The number may be another process's by now, which is_running() tells.
        return sum(process.cpu_times()[:4]) if process.is_running() else None
    except psutil.Error:
        return None
