"""What the kernel has counted since it started: processor time, waiting (PSI), memory. Read from /proc.

Where there is no /proc, psutil says what it can.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import psutil

PRESSURE = {"cpu": "some", "io": "full", "memory": "full"}
"""Resource -> kind of waiting. For processors "full" is always 0 on a whole machine."""

MIB = 2**20


@dataclass(frozen=True, slots=True)
class ProcessorTimes:
    """Seconds, summed over all processors. See proc(5), /proc/stat."""

    busy_s: float
    steal_s: float
    total_s: float
    processors: int


def read_processors(proc: Path) -> ProcessorTimes:
    lines = _text(proc / "stat").splitlines()
    fields = lines[0].split() if lines else []
    if len(fields) < 9 or fields[0] != "cpu":
        return _processors_by_psutil()
    # What comes after steal is guests' time, which user and nice have in them already.
    user, nice, system, idle, iowait, irq, softirq, steal = (int(field) / _ticks() for field in fields[1:9])
    busy = user + nice + system + irq + softirq
    processors = sum(line[:3] == "cpu" and line[3:4].isdigit() for line in lines)
    return ProcessorTimes(busy, steal, busy + steal + idle + iowait, max(1, processors))


def read_pressure(proc: Path, resource: str) -> float | None:
    """Seconds in which tasks waited for a resource of `PRESSURE`; None: the kernel does not count it.

    See Documentation/accounting/psi.rst of Linux.
    """
    for line in _text(proc / "pressure" / resource).splitlines():
        kind, *fields = line.split()
        for field in fields:
            name, _, value = field.partition("=")
            if kind == PRESSURE[resource] and name == "total" and value.isdigit():
                return int(value) / 1e6
    return None


def read_available_mib(proc: Path) -> float:
    """Memory that a program could have without swapping (MemAvailable)."""
    for line in _text(proc / "meminfo").splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) / 1024
    return float(psutil.virtual_memory().available) / MIB


def read_load_1min(proc: Path) -> float:
    fields = _text(proc / "loadavg").split()
    return float(fields[0]) if fields else psutil.getloadavg()[0]


def _processors_by_psutil() -> ProcessorTimes:
    times = psutil.cpu_times()._asdict()
    steal = times.get("steal", 0.0)
    counted = sum(seconds for name, seconds in times.items() if not name.startswith("guest"))
    waiting = times["idle"] + times.get("iowait", 0.0)
    return ProcessorTimes(counted - waiting - steal, steal, counted, psutil.cpu_count() or 1)


def _ticks() -> int:
    """Clock ticks a second."""
    return os.sysconf("SC_CLK_TCK")


def _text(path: Path) -> str:
    """Empty when it cannot be read: pressure is off in some kernels and shut off in some containers."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
