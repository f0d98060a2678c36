"""What the kernel has counted since it started: processor time, waiting (PSI), memory. Read from /proc.

Where there is no /proc, psutil says what it can.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

PRESSURE = {"cpu": "some", "io": "full", "memory": "full"}
"""Resource -> kind of waiting. For processors "full" is always 0 on a whole machine."""

MIB = 2**20


@dataclass(frozen=True, slots=True)
class ProcessorTimes:
    """Seconds, summed over processors. See proc(5), /proc/stat."""

    busy_s: float
    steal_s: float
    total_s: float
    processors: int


def read_processors(proc: Path, cores: Collection[int] | None = None) -> ProcessorTimes:
    """Of `cores`; None, or where the kernel does not tell each of them: of all."""
    lines = [line.split() for line in _text(proc / "stat").splitlines()]
    each = [fields for fields in lines if fields and re.fullmatch(r"cpu\d+", fields[0]) and len(fields) >= 9]
    ours = [fields for fields in each if int(fields[0][3:]) in (cores or ())]
    if len(ours) < len(each) and len(ours) == len(cores or ()) > 0:
        summed = [_processor_seconds(fields) for fields in ours]
        busy, steal, total = (sum(part) for part in zip(*summed, strict=True))
        return ProcessorTimes(busy, steal, total, len(ours))
    if not lines or len(lines[0]) < 9 or lines[0][0] != "cpu":
        return _processors_by_psutil()
    return ProcessorTimes(*_processor_seconds(lines[0]), max(1, len(each)))


def _processor_seconds(fields: Sequence[str]) -> tuple[float, float, float]:
    """Busy, stolen and all, of a line of /proc/stat."""
    # What comes after steal is guests' time, which user and nice have in them already.
    user, nice, system, idle, iowait, irq, softirq, steal = (int(field) / _ticks() for field in fields[1:9])
    busy = user + nice + system + irq + softirq
    return busy, steal, busy + steal + idle + iowait


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
