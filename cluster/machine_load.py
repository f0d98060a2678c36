"""The machine's load over a run, and whether it disturbed the run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from cluster.gpu_load import ORDINARY, GpuMeter, gpu_meters
from cluster.kernel_counters import (
    PRESSURE,
    ProcessorTimes,
    read_available_mib,
    read_load_1min,
    read_pressure,
    read_processors,
)
from cluster.own_processes import OwnProcesses
from shared.surroundings import Disturbance, MachineLoad

SAMPLE_S = 1.0
"""Between samples of what the kernel does not count itself: least memory, GPUs, processes that end."""
SHORTEST_S = 1.0
"""Of a shorter time no share is judged: the kernel counts in ticks, and a process that starts still shows."""
STOP_TIMEOUT_S = 5.0
"""For a sample in progress: a GPU's driver may hang."""


class LoadMeter:
    """For one run: `start` before it, `stop` after it. Neither raises for what the machine does not tell.

    Args:
        own_pids: The processes that serve the run, with all that descend from them; None when the model
            server is not ours, and so not told apart from other programs.
        proc: Where the kernel's figures are.
        gpus: Makes the meters of this process's GPUs.
        cores: Whose time is shared out, where a node has not all of its machine's; None: all.
    """

    def __init__(
        self,
        own_pids: Callable[[], Iterable[int]] | None,
        proc: Path = Path("/proc"),
        gpus: Callable[[], Sequence[GpuMeter]] = gpu_meters,
        cores: Collection[int] | None = None,
    ) -> None:
        self._own_pids = own_pids
        self._proc = proc
        self._cores = cores
        self._gpus = list(gpus())
        self._stopping = threading.Event()
        self._sampling = threading.Thread(target=self._keep_sampling, daemon=True, name="machine-load")

    def start(self) -> None:
        self._least_available_mib = read_available_mib(self._proc)
        self._own = OwnProcesses(self._own_pids) if self._own_pids else None
        self._began_s = time.monotonic()
        for gpu in self._gpus:
            gpu.begin(self._began_s)
        self._pressure = self._read_pressure()
        self._processors = read_processors(self._proc, self._cores)
        self._sampling.start()

    def stop(self) -> MachineLoad:
        ended_s = time.monotonic()
        processors, pressure = read_processors(self._proc, self._cores), self._read_pressure()
        self._stopping.set()
        self._sampling.join(STOP_TIMEOUT_S)
        answering = [] if self._sampling.is_alive() else self._gpus
        if self._own:
            self._own.look(descendants=True)
        seconds = ended_s - self._began_s
        waited = {name: _waited(self._pressure[name], pressure[name], seconds) for name in PRESSURE}
        busy, own, steal = _shares(self._processors, processors, self._own.cpu_s if self._own else None)
        return MachineLoad(
            seconds=seconds,
            processors=processors.processors,
            busy_share=busy,
            own_share=own,
            other_share=None if own is None else max(0.0, busy - own),
            steal_share=steal,
            cpu_pressure=waited["cpu"],
            io_pressure=waited["io"],
            memory_pressure=waited["memory"],
            least_available_mib=min(self._least_available_mib, read_available_mib(self._proc)),
            load_1min=read_load_1min(self._proc),
            gpus=[gpu.end(ended_s) for gpu in answering],
        )

    def _keep_sampling(self) -> None:
        while not self._stopping.wait(SAMPLE_S):
            self._least_available_mib = min(self._least_available_mib, read_available_mib(self._proc))
            if self._own:
                self._own.look()
            for gpu in self._gpus:
                gpu.sample(time.monotonic())

    def _read_pressure(self) -> dict[str, float | None]:
        return {resource: read_pressure(self._proc, resource) for resource in PRESSURE}


def disturbances(load: MachineLoad, bounds: Disturbance) -> list[str]:
    """Why a run's times are not to be used, each in words with its figure and bound; empty: they may be."""
    if load.seconds < SHORTEST_S:
        return []
    shares = [
        ("other programs used {} of the processors", load.other_share, bounds.other_share),
        ("the hypervisor gave {} of the processors to others", load.steal_share, bounds.steal_share),
        ("every program waited for a disk for {} of the time", load.io_pressure, bounds.io_pressure),
        ("every program waited for memory for {} of the time", load.memory_pressure, bounds.memory_pressure),
    ]
    found = [
        f"{what.format(f'{100 * share:.3g} %')} (bound {100 * bound:.3g} %)"
        for what, share, bound in shares
        if share is not None and bound is not None and share > bound
    ]
    for number, gpu in enumerate(load.gpus):
        reasons = [reason for reason in gpu.throttled if reason not in ORDINARY]
        if bounds.gpu_throttling and reasons:
            lowest = gpu.lowest_sm_clock_mhz
            clock = "" if lowest is None else f" to {lowest:.0f} MHz"
            why = ", ".join(reasons)
            found.append(f"GPU {number} ({gpu.name}) was held down{clock} by {why} (bound: never)")
    return found


def _shares(
    before: ProcessorTimes, after: ProcessorTimes, own_cpu_s: float | None
) -> tuple[float, float | None, float]:
    """Busy, own and steal, of all processors' time. The kernel's counts may run back a little."""
    total = after.total_s - before.total_s
    if total <= 0:  # shorter than a tick
        return 0.0, None if own_cpu_s is None else 0.0, 0.0
    parts = (after.busy_s - before.busy_s, after.steal_s - before.steal_s)
    busy, steal = (min(1.0, max(0.0, part / total)) for part in parts)
    return busy, None if own_cpu_s is None else min(1.0, own_cpu_s / total), steal


def _waited(before: float | None, after: float | None, seconds: float) -> float | None:
    if before is None or after is None or seconds <= 0:
        return None
    return min(1.0, max(0.0, (after - before) / seconds))
