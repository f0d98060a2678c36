"""GPUs through NVML, with a library of the test's own: which are ours, and what is made of their figures."""

from __future__ import annotations

import pynvml
import pytest

from cluster.gpu_load import GpuMeter, Nvml, describe_gpus, gpu_meters, open_nvml, visible_gpus
from cluster.machine import describe_machine
from tests.unit.fake_nvml import FakeGpu, FakeNvml

THERMAL = pynvml.nvmlClocksEventReasonHwThermalSlowdown | pynvml.nvmlClocksEventReasonHwSlowdown
UNREMARKABLE = (
    pynvml.nvmlClocksEventReasonGpuIdle
    | pynvml.nvmlClocksEventReasonApplicationsClocksSetting
    | pynvml.nvmlClocksEventReasonSyncBoost
    | pynvml.nvmlClocksEventReasonDisplayClockSetting
)

FIRST = FakeGpu(uuid="GPU-11111111-aaaa", name="first")
SECOND = FakeGpu(uuid="GPU-22222222-bbbb", name="second")
THIRD = FakeGpu(uuid="GPU-22333333-cccc", name="third")


def test_the_stand_in_has_what_is_used_of_the_library() -> None:
    """Every function that we may call exists in the real pynvml, and the stand-in fits the same interface."""
    _: Nvml = FakeNvml()
    used = [name for name in vars(Nvml) if name.startswith("nvml")]
    assert len(used) > 10
    for name in used:
        assert callable(getattr(pynvml, name))


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        (None, ["first", "second", "third"]),
        ("", []),
        ("2,0", ["third", "first"]),
        (" 1 ", ["second"]),
        ("GPU-11111111-aaaa", ["first"]),
        ("GPU-2222", ["second"]),
        ("GPU-22", []),  # two begin like this
        ("0,7,1", ["first"]),  # CUDA ends the list at the first that is none
        ("-1,0", []),
        ("NoDevFiles", []),
        ("MIG-5", ["third"]),
        ("0,MIG-6", ["first"]),
    ],
)
def test_only_the_gpus_that_ray_gave(visible: str | None, names: list[str]) -> None:
    """CUDA_VISIBLE_DEVICES is read as CUDA does: indices, beginnings of UUIDs, MIG devices; without it, all."""
    nvml = FakeNvml(FIRST, SECOND, THIRD, mig={"MIG-5": THIRD})
    assert [gpu.name for gpu in visible_gpus(nvml, visible)] == names


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meters and the manifest's description are of the GPUs in this process's CUDA_VISIBLE_DEVICES."""
    nvml = FakeNvml(FIRST, SECOND)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert describe_gpus(nvml) == [{"name": "second", "memory_mib": 81920, "driver": "580.95.05"}]
    (meter,) = gpu_meters(nvml)
    meter.begin(0)
    assert meter.end(1).name == "second"


def test_figures_of_a_gpu_over_time() -> None:
    """Means of the samples in between, the lowest clock, the highest temperature and memory, counted energy."""
    gpu = FakeGpu(
        sm_clock_mhz=[1980, 1200, 1500],
        memory_clock_mhz=[2600, 2600, 2000],
        temperature_c=[60, 83, 70],
        utilisation=[100, 90, 20],
        memory_used=[2**30, 3 * 2**30, 2 * 2**30],
        energy_mj=[5_000_000, 8_000_000],
        reasons=[UNREMARKABLE, THERMAL, pynvml.nvmlClocksEventReasonSwPowerCap],
    )
    meter = GpuMeter(FakeNvml(gpu), gpu)
    meter.begin(100.0)
    for at_s in (101.0, 102.0, 103.0):
        meter.sample(at_s)
    load = meter.end(110.0)
    assert load.model_dump() == {
        "name": "NVIDIA H100 80GB HBM3",
        "sm_clock_mhz": 1560.0,
        "lowest_sm_clock_mhz": 1200.0,
        "memory_clock_mhz": 2400.0,
        "temperature_c": 83.0,
        "power_w": 300.0,
        "energy_j": 3000.0,
        "utilisation": pytest.approx(0.7),
        "memory_used_mib": 3072.0,
        "throttled": ["thermal", "hardware_slowdown", "power_cap"],
    }


def test_a_run_shorter_than_a_sample() -> None:
    """With no sample in between, one is taken at the end."""
    gpu = FakeGpu(energy_mj=[1000, 1600], reasons=UNREMARKABLE)
    meter = GpuMeter(FakeNvml(gpu), gpu)
    meter.begin(0.0)
    load = meter.end(0.5)
    assert (load.sm_clock_mhz, load.energy_j, load.power_w, load.throttled) == (1980.0, 0.6, 1.2, [])


def test_energy_from_power_where_the_gpu_counts_none() -> None:
    """200 W for one second, rising to 400 W in two, then two at 400 W: 200 + 600 + 800 joules."""
    gpu = FakeGpu(power_mw=[200_000, 200_000, 400_000, 400_000], silent={"energy_mj"})
    meter = GpuMeter(FakeNvml(gpu), gpu)
    meter.begin(0.0)
    meter.sample(1.0)
    meter.sample(3.0)
    load = meter.end(5.0)
    assert load.energy_j == pytest.approx(1600.0)
    assert load.power_w == pytest.approx(320.0)


def test_an_energy_counter_that_ran_back() -> None:
    """After the driver was loaded again the counter says nothing of the run."""
    gpu = FakeGpu(energy_mj=[9000, 100])
    meter = GpuMeter(FakeNvml(gpu), gpu)
    meter.begin(0.0)
    load = meter.end(1.0)
    assert (load.energy_j, load.power_w) == (None, None)


def test_a_gpu_that_says_nothing() -> None:
    """Figures that are not supported, and those of a GPU that was lost in the run, are None, never 0."""
    figures = (
        "name",
        "sm_clock_mhz",
        "memory_clock_mhz",
        "temperature_c",
        "power_mw",
        "energy_mj",
        "utilisation",
    )
    gpu = FakeGpu(silent={*figures, "memory_used", "reasons"})
    meter = GpuMeter(FakeNvml(gpu), gpu)
    meter.begin(0.0)
    meter.sample(1.0)
    load = meter.end(2.0).model_dump()
    assert load.pop("name") == "unknown"
    assert load.pop("throttled") == []
    assert set(load.values()) == {None}


def test_reasons_from_an_older_driver() -> None:
    """A driver that does not know the newer name of the question is asked by the older one."""
    gpu = FakeGpu(
        reasons=pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown
        | pynvml.nvmlClocksEventReasonSwThermalSlowdown
    )
    meter = GpuMeter(FakeNvml(gpu, old_driver=True), gpu)
    meter.begin(0.0)
    assert meter.end(1.0).throttled == ["power_brake", "software_thermal"]


def test_a_machine_without_gpu_or_driver() -> None:
    """Nothing is raised and nothing invented: no meters, no description, an empty list in the manifest."""
    if open_nvml() is not None:
        pytest.skip("this machine has an NVIDIA driver")
    assert gpu_meters() == []
    assert describe_gpus() == []
    assert describe_machine()["gpus"] == []


@pytest.mark.gpu
def test_a_real_gpu() -> None:
    """The real library gives a GPU's name, clocks and energy."""
    if not (meters := gpu_meters()):
        pytest.skip("this machine has no NVIDIA GPU")
    meters[0].begin(0.0)
    load = meters[0].end(1.0)
    assert load.name != "unknown"
    assert load.sm_clock_mhz
    assert load.memory_used_mib is not None
    assert describe_gpus()[0]["driver"]
