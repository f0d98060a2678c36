"""NVIDIA's library as a test lays it down: the functions of pynvml that we use, over GPUs of the test's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pynvml


@dataclass
class FakeGpu:
    """Its figures; a name in `silent` is not supported. A list gives one value after the other, the last again."""

    uuid: str = "GPU-11111111-aaaa"
    name: str = "NVIDIA H100 80GB HBM3"
    sm_clock_mhz: Any = 1980
    memory_clock_mhz: Any = 2619
    temperature_c: Any = 40
    power_mw: Any = 300_000
    energy_mj: Any = 0
    utilisation: Any = 50
    memory_used: Any = 2**30
    reasons: Any = 0
    silent: set[str] = field(default_factory=set)

    def figure(self, name: str) -> Any:
        if name in self.silent:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        value = getattr(self, name)
        if not isinstance(value, list):
            return value
        return value.pop(0) if len(value) > 1 else value[0]


class FakeNvml:
    """Handles are the GPUs themselves."""

    def __init__(
        self, *gpus: FakeGpu, mig: dict[str, FakeGpu] | None = None, old_driver: bool = False
    ) -> None:
        self.gpus = gpus
        self.mig = mig or {}
        self.old_driver = old_driver

    def nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802 - NVIDIA's names, here and below
        return "580.95.05"

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int, /) -> FakeGpu:  # noqa: N802
        return self.gpus[index]

    def nvmlDeviceGetHandleByUUID(self, uuid: str, /) -> str:  # noqa: N802
        if uuid not in self.mig:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return uuid

    def nvmlDeviceGetDeviceHandleFromMigDeviceHandle(self, handle: str, /) -> FakeGpu:  # noqa: N802
        return self.mig[handle]

    def nvmlDeviceGetUUID(self, gpu: FakeGpu, /) -> str:  # noqa: N802
        return gpu.uuid

    def nvmlDeviceGetName(self, gpu: FakeGpu, /) -> str:  # noqa: N802
        return str(gpu.figure("name"))

    def nvmlDeviceGetClockInfo(self, gpu: FakeGpu, kind: int, /) -> int:  # noqa: N802
        names = {pynvml.NVML_CLOCK_SM: "sm_clock_mhz", pynvml.NVML_CLOCK_MEM: "memory_clock_mhz"}
        return int(gpu.figure(names[kind]))

    def nvmlDeviceGetTemperature(self, gpu: FakeGpu, sensor: int, /) -> int:  # noqa: N802
        assert sensor == pynvml.NVML_TEMPERATURE_GPU
        return int(gpu.figure("temperature_c"))

    def nvmlDeviceGetPowerUsage(self, gpu: FakeGpu, /) -> int:  # noqa: N802
        return int(gpu.figure("power_mw"))

    def nvmlDeviceGetTotalEnergyConsumption(self, gpu: FakeGpu, /) -> int:  # noqa: N802
        return int(gpu.figure("energy_mj"))

    def nvmlDeviceGetUtilizationRates(self, gpu: FakeGpu, /) -> Any:  # noqa: N802
        return SimpleNamespace(gpu=gpu.figure("utilisation"), memory=0)

    def nvmlDeviceGetMemoryInfo(self, gpu: FakeGpu, /) -> Any:  # noqa: N802
        return SimpleNamespace(total=80 * 2**30, used=gpu.figure("memory_used"), free=0)

    def nvmlDeviceGetCurrentClocksEventReasons(self, gpu: FakeGpu, /) -> int:  # noqa: N802
        if self.old_driver:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_FUNCTION_NOT_FOUND)
        return int(gpu.figure("reasons"))

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, gpu: FakeGpu, /) -> int:  # noqa: N802
        return int(gpu.figure("reasons"))
