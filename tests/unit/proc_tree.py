"""A /proc of a test's own: the files that the load meter reads, with figures that a test can work out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Kernel:
    """Two processors; ticks are hundredths of a second, waiting is in microseconds."""

    user: int = 1000
    nice: int = 0
    system: int = 500
    idle: int = 8000
    iowait: int = 300
    irq: int = 10
    softirq: int = 20
    steal: int = 40
    guest: int = 700
    cpu_some: int = 5_000_000
    io_full: int = 2_000_000
    memory_full: int = 0
    available_kib: int = 4 * 2**20

    def later(self, **grown: int) -> Kernel:
        """The same with some figures grown."""
        return replace(self, **{name: getattr(self, name) + by for name, by in grown.items()})

    def write(self, proc: Path, *, pressure: bool = True) -> None:
        ticks: list[Any] = [self.user, self.nice, self.system, self.idle, self.iowait, self.irq, self.softirq]
        ticks += [self.steal, self.guest, 0]
        line = " ".join(str(tick) for tick in ticks)
        _put(proc / "stat", f"cpu  {line}\ncpu0 {line}\ncpu1 {line}\nintr 12345 0 0\nctxt 999\n")
        _put(
            proc / "meminfo",
            f"MemTotal:       8388608 kB\nMemFree:          100 kB\nMemAvailable:   {self.available_kib} kB\n",
        )
        _put(proc / "loadavg", "1.25 0.50 0.10 2/345 6789\n")
        if pressure:
            (proc / "pressure").mkdir(exist_ok=True)
            self._write_pressure(proc, "cpu", self.cpu_some, 0)
            self._write_pressure(proc, "io", 9 * self.io_full, self.io_full)
            self._write_pressure(proc, "memory", self.memory_full, self.memory_full)

    def _write_pressure(self, proc: Path, resource: str, some: int, full: int) -> None:
        averages = "avg10=12.34 avg60=5.00 avg300=1.00"
        _put(proc / "pressure" / resource, f"some {averages} total={some}\nfull {averages} total={full}\n")


def _put(path: Path, text: str) -> None:
    """At once, as the kernel does: a reader never sees half of it."""
    part = path.with_name(f".{path.name}")
    part.write_text(text)
    part.replace(path)
