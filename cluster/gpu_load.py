"""NVIDIA GPUs through NVML: what they are, and how they ran while something was measured.

A figure that a GPU does not give (vGPU and MIG give few) is None; without driver or library there is no GPU.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Protocol, TypeVar, cast

import pynvml

from shared.surroundings import GpuLoad

T = TypeVar("T")
MIB = 2**20

THROTTLED = {
    pynvml.nvmlClocksEventReasonHwThermalSlowdown: "thermal",
    pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown: "power_brake",
    pynvml.nvmlClocksEventReasonHwSlowdown: "hardware_slowdown",
    pynvml.nvmlClocksEventReasonSwThermalSlowdown: "software_thermal",
    pynvml.nvmlClocksEventReasonSwPowerCap: "power_cap",
}
"""Why clocks are held down. Left out: idle, and clocks that somebody has set, which are so in every run."""
ORDINARY = frozenset({"power_cap"})
"""A GPU under full load is at its power limit: how it is meant to run, and the same for every framework."""


class Nvml(Protocol):
    """What we use of pynvml, under its own names; a test has its own. Everything may raise NVMLError."""

    def nvmlSystemGetDriverVersion(self) -> str: ...  # noqa: N802 - NVIDIA's names, here and below
    def nvmlDeviceGetCount(self) -> int: ...  # noqa: N802
    def nvmlDeviceGetHandleByIndex(self, index: int, /) -> Any: ...  # noqa: N802
    def nvmlDeviceGetHandleByUUID(self, uuid: str, /) -> Any: ...  # noqa: N802
    def nvmlDeviceGetDeviceHandleFromMigDeviceHandle(self, handle: Any, /) -> Any: ...  # noqa: N802
    def nvmlDeviceGetUUID(self, handle: Any, /) -> str: ...  # noqa: N802
    def nvmlDeviceGetName(self, handle: Any, /) -> str: ...  # noqa: N802
    def nvmlDeviceGetClockInfo(self, handle: Any, kind: int, /) -> int: ...  # noqa: N802
    def nvmlDeviceGetTemperature(self, handle: Any, sensor: int, /) -> int: ...  # noqa: N802
    def nvmlDeviceGetPowerUsage(self, handle: Any, /) -> int: ...  # noqa: N802
    def nvmlDeviceGetTotalEnergyConsumption(self, handle: Any, /) -> int: ...  # noqa: N802
    def nvmlDeviceGetUtilizationRates(self, handle: Any, /) -> Any: ...  # noqa: N802
    def nvmlDeviceGetMemoryInfo(self, handle: Any, /) -> Any: ...  # noqa: N802
    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: Any, /) -> int: ...  # noqa: N802
    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: Any, /) -> int: ...  # noqa: N802


@cache
def open_nvml() -> Nvml | None:
    """NVIDIA's library, for as long as this process lives; None without library, driver or permission."""
    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError, OSError):
        return None
    return cast("Nvml", pynvml)


def visible_gpus(nvml: Nvml, visible: str | None) -> list[Any]:
    """Handles of the GPUs of a CUDA_VISIBLE_DEVICES, in its order; None: of all.

    As in CUDA, an entry is an index, the beginning of a UUID, or a MIG device's UUID, and the first that is
    nothing of these ends the list. A MIG device stands for its whole GPU: power and clocks are that one's.
    """
    handles: list[Any] = []
    try:
        everyone = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
        if visible is None:
            return everyone
        for entry in visible.split(","):
            handle = _named(nvml, everyone, entry.strip())
            if handle is None:
                break
            handles.append(handle)
    except pynvml.NVMLError:
        return handles
    return handles


def describe_gpus(nvml: Nvml | None = None) -> list[dict[str, str | float | None]]:
    """Name, memory and driver of each GPU of this process, for a manifest."""
    nvml = nvml or open_nvml()
    if nvml is None:
        return []
    driver = _told(nvml.nvmlSystemGetDriverVersion)
    return [
        {
            "name": _told(nvml.nvmlDeviceGetName, handle),
            "memory_mib": _told(_total_mib, nvml, handle),
            "driver": driver,
        }
        for handle in visible_gpus(nvml, os.environ.get("CUDA_VISIBLE_DEVICES"))
    ]


def gpu_meters(nvml: Nvml | None = None) -> list[GpuMeter]:
    """One for each GPU that this process may use, as Ray sets CUDA_VISIBLE_DEVICES."""
    nvml = nvml or open_nvml()
    if nvml is None:
        return []
    return [GpuMeter(nvml, handle) for handle in visible_gpus(nvml, os.environ.get("CUDA_VISIBLE_DEVICES"))]


@dataclass(frozen=True, slots=True)
class _Sample:
    sm_clock_mhz: float | None
    memory_clock_mhz: float | None
    temperature_c: float | None
    utilisation: float | None
    memory_used_mib: float | None
    reasons: int


class GpuMeter:
    """One GPU: `begin`, `sample` now and then, `end`. Times are seconds on any one clock."""

    def __init__(self, nvml: Nvml, handle: Any) -> None:
        self._nvml = nvml
        self._handle = handle
        self._samples: list[_Sample] = []
        self._watts: list[tuple[float, float]] = []
        """Read only where the GPU counts no energy."""
        self._began_s = 0.0
        self._energy_mj: int | None = None

    def begin(self, at_s: float) -> None:
        self._samples, self._watts, self._began_s = [], [], at_s
        self._energy_mj = self._counted_mj()
        self._read_power(at_s)

    def sample(self, at_s: float) -> None:
        nvml, gpu = self._nvml, self._handle
        self._read_power(at_s)
        self._samples.append(
            _Sample(
                sm_clock_mhz=_told(nvml.nvmlDeviceGetClockInfo, gpu, pynvml.NVML_CLOCK_SM),
                memory_clock_mhz=_told(nvml.nvmlDeviceGetClockInfo, gpu, pynvml.NVML_CLOCK_MEM),
                temperature_c=_told(nvml.nvmlDeviceGetTemperature, gpu, pynvml.NVML_TEMPERATURE_GPU),
                utilisation=_told(lambda: nvml.nvmlDeviceGetUtilizationRates(gpu).gpu / 100),
                memory_used_mib=_told(lambda: nvml.nvmlDeviceGetMemoryInfo(gpu).used / MIB),
                reasons=self._reasons(),
            )
        )

    def end(self, at_s: float) -> GpuLoad:
        """How it ran since `begin`; from one sample now when there is none."""
        if self._samples:
            self._read_power(at_s)
        else:
            self.sample(at_s)
        energy_j = self._energy_j()
        clocks = self._known("sm_clock_mhz")
        seen = [sample.reasons for sample in self._samples]
        return GpuLoad(
            name=_told(self._nvml.nvmlDeviceGetName, self._handle) or "unknown",
            sm_clock_mhz=_mean(clocks),
            lowest_sm_clock_mhz=min(clocks, default=None),
            memory_clock_mhz=_mean(self._known("memory_clock_mhz")),
            temperature_c=max(self._known("temperature_c"), default=None),
            power_w=None if energy_j is None or at_s <= self._began_s else energy_j / (at_s - self._began_s),
            energy_j=energy_j,
            utilisation=_mean(self._known("utilisation")),
            memory_used_mib=max(self._known("memory_used_mib"), default=None),
            throttled=[name for bit, name in THROTTLED.items() if any(reasons & bit for reasons in seen)],
        )

    def _known(self, figure: str) -> list[float]:
        values = [getattr(sample, figure) for sample in self._samples]
        return [float(value) for value in values if value is not None]

    def _counted_mj(self) -> int | None:
        """Since the driver was loaded; from Volta on."""
        return _told(self._nvml.nvmlDeviceGetTotalEnergyConsumption, self._handle)

    def _energy_j(self) -> float | None:
        if self._energy_mj is not None:
            counted = self._counted_mj()
            if counted is None or counted < self._energy_mj:  # it is lost, or its driver was loaded again
                return None
            return (counted - self._energy_mj) / 1000
        if len(self._watts) < 2:
            return None
        return sum((t1 - t0) * (w0 + w1) / 2 for (t0, w0), (t1, w1) in pairwise(self._watts))

    def _read_power(self, at_s: float) -> None:
        if self._energy_mj is None:
            milliwatts = _told(self._nvml.nvmlDeviceGetPowerUsage, self._handle)
            if milliwatts is not None:
                self._watts.append((at_s, milliwatts / 1000))

    def _reasons(self) -> int:
        """As bits; none where the GPU does not tell. Drivers before 535 know the older name alone."""
        for ask in (
            self._nvml.nvmlDeviceGetCurrentClocksEventReasons,
            self._nvml.nvmlDeviceGetCurrentClocksThrottleReasons,
        ):
            reasons = _told(ask, self._handle)
            if reasons is not None:
                return reasons
        return 0


def _named(nvml: Nvml, everyone: Sequence[Any], entry: str) -> Any:
    if entry.isdecimal():
        return everyone[int(entry)] if int(entry) < len(everyone) else None
    if entry.startswith("MIG-"):
        return nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(nvml.nvmlDeviceGetHandleByUUID(entry))
    found = [gpu for gpu in everyone if entry and nvml.nvmlDeviceGetUUID(gpu).startswith(entry)]
    return found[0] if len(found) == 1 else None


def _told(ask: Callable[..., T], *arguments: Any) -> T | None:
    """The answer; None when the GPU or its driver has none."""
    try:
        return ask(*arguments)
    except pynvml.NVMLError:
        return None


def _total_mib(nvml: Nvml, handle: Any) -> int:
    total: int = nvml.nvmlDeviceGetMemoryInfo(handle).total
    return round(total / MIB)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
