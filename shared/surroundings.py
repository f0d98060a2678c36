"""What else was going on while something was measured: the machine's load, its GPU, probes, quarantine."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.strict import Strict


class GpuLoad(Strict):
    """One NVIDIA GPU over a run, sampled through NVML. None: this GPU does not give that figure."""

    name: str
    sm_clock_mhz: float | None
    """Mean."""
    lowest_sm_clock_mhz: float | None
    memory_clock_mhz: float | None
    temperature_c: float | None
    """Highest."""
    power_w: float | None
    """Mean."""
    energy_j: float | None
    """From the GPU's own counter where it has one, else power times time."""
    utilisation: float | None
    """Mean share of time in which it was busy."""
    memory_used_mib: float | None
    """Highest."""
    throttled: list[str] = Field(default_factory=list)
    """Why its clocks were held down, if they were: thermal, power_brake, hardware_slowdown ..."""


class MachineLoad(Strict):
    """The node's machine over a run. Shares are of all its processors' time, from 0 to 1; None: not known."""

    seconds: float
    processors: int
    busy_share: float
    own_share: float | None
    """Model server, gateway, node and framework process; None when the server is not ours to look at."""
    other_share: float | None
    """Busy for anybody else."""
    steal_share: float
    """Taken by the hypervisor for other guests."""
    cpu_pressure: float | None
    """Share of the time in which some task waited for a processor (PSI, "some")."""
    io_pressure: float | None
    """Share of the time in which all tasks waited for a disk (PSI, "full")."""
    memory_pressure: float | None
    """Share of the time in which all tasks waited for memory (PSI, "full")."""
    least_available_mib: float
    load_1min: float
    gpus: list[GpuLoad] = Field(default_factory=list)

    @property
    def energy_j(self) -> float | None:
        """Of all GPUs; None without one, and when one does not say."""
        told = [gpu.energy_j for gpu in self.gpus if gpu.energy_j is not None]
        return sum(told) if self.gpus and len(told) == len(self.gpus) else None


class Disturbance(Strict):
    """Bounds beyond which a run's times are not used: plan key `disturbance`. None switches a bound off.

    A tenth, because a run on two processors is then about a tenth slower (measured: docs/machine.md).
    """

    other_share: float | None = Field(default=0.10, ge=0, le=1)
    """A quiet machine has 0.03: Ray's own daemons and the driver."""
    steal_share: float | None = Field(default=0.10, ge=0, le=1)
    io_pressure: float | None = Field(default=0.10, ge=0, le=1)
    memory_pressure: float | None = Field(default=0.05, ge=0, le=1)
    """Half of it: what was paged out is missing for longer than the waiting that is counted."""
    gpu_throttling: bool = True
    """Whether a GPU held down by heat or hardware counts."""
    attempts: int = Field(default=2, ge=1)
    """How often a disturbed run is tried in one session; the last attempt is kept and marked."""


class Probe(Strict):
    """The same small request before and after each block, outside any run: how fast is the model now?"""

    number: int
    node: str
    block: str
    """task.item.iteration"""
    when: Literal["before", "after"]
    at: str
    """UTC, ISO 8601."""
    seconds: float | None
    """Of the whole request; None when it failed."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prefill_s: float | None = None
    decode_s: float | None = None
    """None when neither stream nor server tells prefill from decode."""
    text_sha256: str | None = None
    """The same request should get the same text."""
    error: str | None = None


class Quarantine(Strict):
    """Why an attempt's figures are not used. Written beside the attempt, which stays as it is."""

    run_id: str
    attempt: int
    attempt_id: str
    code: Literal["disturbed", "late_calls"]
    """disturbed: the machine was busy with something else, so its times say nothing (text and tokens do).
    late_calls: its process went on after its end and disturbed another run, so nothing of it counts."""
    reasons: list[str]
    """In words, with the figure and the bound."""
