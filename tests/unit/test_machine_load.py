"""The load meter, on a /proc with figures worked out by hand and on real processes; and the bounds."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from cluster import machine_load
from cluster.gpu_load import GpuMeter
from cluster.kernel_counters import read_processors
from cluster.machine_load import LoadMeter, disturbances
from cluster.own_processes import OwnProcesses
from shared.surroundings import Disturbance, GpuLoad, MachineLoad
from tests.unit.fake_nvml import FakeGpu, FakeNvml
from tests.unit.proc_tree import Kernel

WAIT_S = 30.0

# Burns processor time, says how much it has used, and stays until its input ends.
BURNER = """
import sys, time
while time.process_time() < float(sys.argv[1]): pass
print(time.process_time(), flush=True)
sys.stdin.read()
"""
# The same in a child of its own, which ends when told to ("end"); the parent stays.
BURNING_CHILD = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {BURNER!r}, sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(child.stdout.readline().decode().strip(), flush=True)
sys.stdin.readline()
child.stdin.close()
child.wait()
print("ended", flush=True)
sys.stdin.read()
"""
HOG = "while True: pass"


@contextmanager
def running(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin
    process.stdin.write(line + "\n")
    process.stdin.flush()


def used_s(process: subprocess.Popen[str]) -> float:
    return sum(psutil.Process(process.pid).cpu_times()[:2])


def wait_until_used(process: subprocess.Popen[str], seconds: float) -> None:
    deadline = time.monotonic() + WAIT_S
    while used_s(process) < seconds:
        assert time.monotonic() < deadline, "it got no processor"
        time.sleep(0.02)


def no_gpus() -> list[GpuMeter]:
    return []


def test_shares_are_of_all_processors_time(tmp_path: Path) -> None:
    """170 of 400 ticks were busy and 10 stolen; guests' time is not counted twice, waiting for a disk is idle."""
    kernel = Kernel()
    kernel.write(tmp_path)
    meter = LoadMeter(list, tmp_path, no_gpus)
    meter.start()
    kernel.later(user=120, system=40, idle=200, iowait=20, irq=4, softirq=6, steal=10, guest=50).write(
        tmp_path
    )
    load = meter.stop()
    assert load.processors == 2
    assert load.busy_share == pytest.approx(0.425)
    assert load.steal_share == pytest.approx(0.025)
    assert (load.own_share, load.other_share) == (0.0, pytest.approx(0.425))
    assert load.load_1min == 1.25
    assert load.least_available_mib == 4096
    assert load.gpus == []


def test_pressure_is_the_growth_of_its_totals(tmp_path: Path) -> None:
    """Microseconds waited over the run's own time: some for processors, full for disk and memory."""
    kernel = Kernel()
    kernel.write(tmp_path)
    meter = LoadMeter(None, tmp_path, no_gpus)
    meter.start()
    time.sleep(0.1)
    kernel.later(cpu_some=40_000, io_full=10_000, memory_full=2_000).write(tmp_path)
    load = meter.stop()
    assert load.cpu_pressure == pytest.approx(0.04 / load.seconds)
    assert load.io_pressure == pytest.approx(0.01 / load.seconds)
    assert load.memory_pressure == pytest.approx(0.002 / load.seconds)


def test_a_server_of_somebody_else(tmp_path: Path) -> None:
    """Without processes of ours nobody can say what was other programs' doing."""
    Kernel().write(tmp_path)
    meter = LoadMeter(None, tmp_path, no_gpus)
    meter.start()
    load = meter.stop()
    assert (load.own_share, load.other_share) == (None, None)


def test_a_kernel_without_pressure(tmp_path: Path) -> None:
    """Where the kernel does not count waiting it is unknown, and the rest stands."""
    Kernel().write(tmp_path, pressure=False)
    meter = LoadMeter(None, tmp_path, no_gpus)
    meter.start()
    load = meter.stop()
    assert (load.cpu_pressure, load.io_pressure, load.memory_pressure) == (None, None, None)
    assert load.least_available_mib == 4096


def test_a_system_without_proc(tmp_path: Path) -> None:
    """Not Linux: processors, memory and load come from psutil, and pressure is unknown."""
    meter = LoadMeter(None, tmp_path / "none", no_gpus)
    meter.start()
    load = meter.stop()
    assert load.processors == psutil.cpu_count()
    assert load.least_available_mib > 0
    assert load.cpu_pressure is None
    assert 0 <= load.busy_share <= 1
    times = read_processors(tmp_path / "none")
    assert 0 < times.busy_s < times.total_s


def test_counts_that_run_back(tmp_path: Path) -> None:
    """Linux lets steal and waiting shrink a little: no share is below 0, nor above 1 when a total is short."""
    kernel = Kernel()
    kernel.write(tmp_path)
    meter = LoadMeter(list, tmp_path, no_gpus)
    meter.start()
    kernel.later(user=100, steal=-5, iowait=-40, idle=10, io_full=-100, cpu_some=60_000_000).write(tmp_path)
    load = meter.stop()
    assert load.steal_share == 0
    assert load.io_pressure == 0
    assert load.busy_share == 1
    assert load.cpu_pressure == 1


def test_a_run_shorter_than_a_tick(tmp_path: Path) -> None:
    """Nothing counted in between is no load, not a division by zero."""
    Kernel().write(tmp_path)
    meter = LoadMeter(list, tmp_path, no_gpus)
    meter.start()
    load = meter.stop()
    assert (load.busy_share, load.own_share, load.other_share, load.steal_share) == (0, 0, 0, 0)


def test_least_memory_is_that_of_a_moment_in_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shortage that is over when the run ends has been seen."""
    monkeypatch.setattr(machine_load, "SAMPLE_S", 0.02)
    kernel = Kernel()
    kernel.write(tmp_path)
    meter = LoadMeter(None, tmp_path, no_gpus)
    meter.start()
    kernel.later(available_kib=-3 * 2**20).write(tmp_path)
    time.sleep(0.5)
    kernel.write(tmp_path)
    assert meter.stop().least_available_mib == 1024


def test_gpus_are_sampled_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slowdown in the middle of the run is in its load, with the energy of all GPUs together."""
    monkeypatch.setattr(machine_load, "SAMPLE_S", 0.02)
    Kernel().write(tmp_path)
    slow = FakeGpu(sm_clock_mhz=[1980, 900, 1980], reasons=[0, 0x40, 0], energy_mj=[0, 7000])
    steady = FakeGpu(energy_mj=[0, 3000])
    nvml = FakeNvml(slow, steady)
    meter = LoadMeter(None, tmp_path, lambda: [GpuMeter(nvml, slow), GpuMeter(nvml, steady)])
    meter.start()
    time.sleep(0.5)
    load = meter.stop()
    assert load.energy_j == 10
    assert load.gpus[0].throttled == ["thermal"]
    assert load.gpus[0].lowest_sm_clock_mhz == 900
    assert load.gpus[1].throttled == []
    silent = load.gpus[1].model_copy(update={"energy_j": None})
    assert load.model_copy(update={"gpus": [load.gpus[0], silent]}).energy_j is None


class StuckGpu(GpuMeter):
    """Its driver does not come back."""

    released = threading.Event()

    def sample(self, at_s: float) -> None:  # noqa: ARG002 - GpuMeter's own
        self.released.wait(WAIT_S)


def test_a_driver_that_hangs_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample that does not end is given up, and the run's load is there without GPUs."""
    monkeypatch.setattr(machine_load, "SAMPLE_S", 0.01)
    monkeypatch.setattr(machine_load, "STOP_TIMEOUT_S", 0.2)
    Kernel().write(tmp_path)
    gpu = FakeGpu()
    meter = LoadMeter(None, tmp_path, lambda: [StuckGpu(FakeNvml(gpu), gpu)])
    meter.start()
    time.sleep(0.2)
    assert meter.stop().gpus == []
    StuckGpu.released.set()


def test_a_busy_program_is_seen_as_somebody_elses() -> None:
    """A real process that is not ours and keeps a processor busy shows in other_share, in its measure."""
    with running(HOG) as hog:
        meter = LoadMeter(list, gpus=no_gpus)
        began = used_s(hog)
        meter.start()
        wait_until_used(hog, began + 0.4)
        load = meter.stop()
    assert load.other_share is not None
    assert load.other_share >= 0.5 * 0.4 / (load.seconds * load.processors)
    assert load.own_share == 0


def test_a_busy_program_of_ours_is_seen_as_ours() -> None:
    """The same process among our own shows in own_share, and the rest is others'."""
    with running(HOG) as hog:
        meter = LoadMeter(lambda: [hog.pid], gpus=no_gpus)
        began = used_s(hog)
        meter.start()
        wait_until_used(hog, began + 0.4)
        load = meter.stop()
    assert load.own_share is not None
    assert load.own_share >= 0.5 * 0.4 / (load.seconds * load.processors)
    assert load.other_share == pytest.approx(max(0.0, load.busy_share - load.own_share))


def test_what_a_process_used_before_does_not_count() -> None:
    """Only time from the beginning of the count on is ours."""
    with running(BURNER, "0.3") as burner:
        assert float(said(burner)) >= 0.3
        own = OwnProcesses(lambda: [burner.pid])
        own.look(descendants=True)
        assert own.cpu_s < 0.15


def test_a_process_that_ended_counts_as_last_seen() -> None:
    """A framework's process that is gone at the end is in the figure up to the last look at it."""
    pids: list[int] = []
    own = OwnProcesses(lambda: pids)
    with running(BURNER, "0.3") as burner:
        pids.append(burner.pid)
        assert float(said(burner)) >= 0.3
        own.look()
    for _ in range(2):
        own.look(descendants=True)
        assert own.cpu_s >= 0.25


def test_children_count_whether_seen_or_not_and_once() -> None:
    """A child's time is its own while it lives and its parent's when it has ended; never both."""
    for seen in (True, False):
        pids: list[int] = []
        own = OwnProcesses(lambda pids=pids: pids)  # type: ignore[misc]
        with running(BURNING_CHILD, "0.3") as parent:
            child_s = float(said(parent))
            if seen:
                pids.append(parent.pid)
                own.look(descendants=True)
                assert own.cpu_s >= 0.8 * child_s
            tell(parent, "end")
            assert said(parent) == "ended"
            pids[:] = [parent.pid]
            own.look(descendants=True)
            assert 0.8 * child_s <= own.cpu_s < 1.6 * child_s


def test_a_process_that_never_was() -> None:
    """A number that no process has is no error and no time."""
    own = OwnProcesses(lambda: [2**22 + 1])
    own.look(descendants=True)
    assert own.cpu_s == 0


def load_of(**changes: Any) -> MachineLoad:
    quiet: dict[str, Any] = {
        "seconds": 10.0,
        "processors": 2,
        "busy_share": 0.5,
        "own_share": 0.5,
        "other_share": 0.0,
        "steal_share": 0.0,
        "cpu_pressure": 1.0,
        "io_pressure": 0.0,
        "memory_pressure": 0.0,
        "least_available_mib": 100.0,
        "load_1min": 50.0,
    }
    return MachineLoad(**quiet | changes)


def gpu(*throttled: str, clock: float | None = 900.0) -> GpuLoad:
    figures = dict.fromkeys(
        (
            "sm_clock_mhz",
            "memory_clock_mhz",
            "temperature_c",
            "power_w",
            "energy_j",
            "utilisation",
            "memory_used_mib",
        )
    )
    return GpuLoad(name="H100", lowest_sm_clock_mhz=clock, throttled=list(throttled), **figures)


BOUNDS = Disturbance(other_share=0.25, steal_share=0.10, io_pressure=0.20, memory_pressure=0.05)


@pytest.mark.parametrize(
    ("load", "reasons"),
    [
        (load_of(), []),
        (load_of(other_share=0.25, steal_share=0.1, io_pressure=0.2, memory_pressure=0.05), []),
        (load_of(other_share=None, io_pressure=None, memory_pressure=None), []),
        (load_of(other_share=0.41), ["other programs used 41 % of the processors (bound 25 %)"]),
        (load_of(other_share=0.254), ["other programs used 25.4 % of the processors (bound 25 %)"]),
        (load_of(steal_share=0.125), ["the hypervisor gave 12.5 % of the processors to others (bound 10 %)"]),
        (
            load_of(io_pressure=0.3, memory_pressure=0.06),
            [
                "every program waited for a disk for 30 % of the time (bound 20 %)",
                "every program waited for memory for 6 % of the time (bound 5 %)",
            ],
        ),
        (load_of(gpus=[gpu(), gpu("power_cap")]), []),
        (
            load_of(gpus=[gpu(), gpu("thermal", "power_cap", "hardware_slowdown")]),
            ["GPU 1 (H100) was held down to 900 MHz by thermal, hardware_slowdown (bound: never)"],
        ),
        (load_of(gpus=[gpu("power_brake", clock=None)]), ["GPU 0 (H100) was held down by power_brake (bound: never)"]),
    ],
)  # fmt: skip
def test_reasons_have_their_figure_and_bound(load: MachineLoad, reasons: list[str]) -> None:
    """Only what is above its bound disturbs; what is unknown does not; a GPU at its power limit is as meant."""
    assert disturbances(load, BOUNDS) == reasons


def test_a_bound_that_is_switched_off() -> None:
    """None, and False for GPUs, let everything pass."""
    worst = load_of(
        other_share=1.0, steal_share=1.0, io_pressure=1.0, memory_pressure=1.0, gpus=[gpu("thermal")]
    )
    off = Disturbance(
        other_share=None, steal_share=None, io_pressure=None, memory_pressure=None, gpu_throttling=False
    )
    assert disturbances(worst, off) == []
    assert len(disturbances(worst, BOUNDS)) == 5
