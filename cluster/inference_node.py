"""One inference node: a model server, its gateway, and one run at a time. A Ray actor in the cluster."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from ray.exceptions import GetTimeoutError, RayError

from cluster.framework_processes import FrameworkProcess, FrameworkProcesses
from cluster.framework_worker import ERROR_CHARACTERS, WorkerResult
from cluster.gateway.lease import GatewayStatus, LeaseRequest
from cluster.gateway.process import Lease
from cluster.leased_run import NoResult, leased_run
from cluster.machine import describe_machine
from cluster.memory_watch import MemoryWatch
from cluster.own_cores import keep_to, share_of
from cluster.probe_model import ProbeAnswer, as_probe, probe_model
from cluster.run_job import RunJob
from cluster.run_record import Ending, run_record
from cluster.servers import ServerIdentity, ServerOptions
from cluster.serving import Serving
from runtime_envs.build import build_environment
from runtime_envs.catalog import framework as framework_named
from runtime_envs.preflight import preflight
from runtime_envs.versions import environment_of
from shared.calls import Call
from shared.contract import RunRequest
from shared.errors import EnvironmentFailed, LevelfieldError, NodeFailed, ServerUnavailable
from shared.plan import Limits
from shared.records import RunRecord, Status
from shared.surroundings import Probe

TOO_LATE = "Still running at the run's deadline (limits.run_timeout_s)."
PROBE_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """What a started node says of itself."""

    name: str
    identity: ServerIdentity
    hardware: dict[str, Any]

    def require_like(self, other: NodeInfo) -> None:
        """Raises NodeFailed unless runs on both nodes may be pooled: same model, server and flags."""
        mine, its = asdict(self.identity), asdict(other.identity)
        differing = [name for name in mine if name != "caveat" and mine[name] != its[name]]
        if differing:
            told = "; ".join(f"{name} is {mine[name]!r} and not {its[name]!r}" for name in differing)
            raise NodeFailed(f"{self.name} serves another model than {other.name}: {told}.")


@dataclass(frozen=True, slots=True)
class PreparedEnvironment:
    """A framework's environment, built and preflighted on a node."""

    framework: str
    title: str
    lock_sha256: str
    versions: dict[str, str]
    build_s: float
    reused: bool


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """What an attempt leaves: to be written by whoever owns the store."""

    record: RunRecord
    calls: list[Call]
    contaminated_by: list[str]
    """Attempts that had ended and whose processes still sent requests: they do not count either."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What the node is doing, for a progress display."""

    text: str
    gateway: GatewayStatus | None = None

    def describe(self) -> str:
        """E.g. "langgraph on stripe: model call 2, 12 s, 24 tokens/s"."""
        seen = self.gateway
        if not seen or not seen.model_calls:
            return self.text
        speed = f", {seen.completion_tokens / seen.seconds:.0f} tokens/s" if seen.completion_tokens else ""
        return f"{self.text}: model call {seen.model_calls}, {seen.seconds:.0f} s{speed}"


class InferenceNode:
    """Started once; then `prepare` each framework and, step by step, what the schedule says."""

    def __init__(self, name: str, index: int = 0, of: int = 1) -> None:
        """`index`: among the `of` nodes of its machine."""
        self._name = name
        self._cores = share_of(os.sched_getaffinity(0), index, of)
        keep_to(self._cores)
        self._activity = "starting"
        self._serving: Serving | None = None
        self._judging: Lease | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="levelfield-node-"))
        self._pythons: dict[str, str] = {}
        self._processes = FrameworkProcesses(self._folder, self._pythons, self._cores)

    def start(self, setting: str, options: ServerOptions) -> NodeInfo:
        """Start the model server (or attach to it) and the gateway in front of it."""

        def note(text: str) -> None:
            self._activity = f"{setting}: {text}"

        note("starting")
        self._serving = Serving(setting, replace(options, on_progress=note), self._folder)
        self._activity = "idle"
        return NodeInfo(self._name, self._serving.server.identity(), describe_machine())

    def join(
        self, setting: str, options: ServerOptions, wanted: Mapping[str, str | None], like: NodeInfo
    ) -> NodeInfo:
        """What comes before a late node's first step: `start`, and `prepare` of each framework.

        Args:
            setting: As of `start`.
            options: Likewise.
            wanted: Framework -> what to install, if its version is stated.
            like: What the experiment's first node said of itself.

        Raises:
            NodeFailed: It is not like that one.
            EnvironmentFailed: Of a framework; others may have it.
        """
        info = self.start(setting, options)
        info.require_like(like)
        for name, lock in wanted.items():
            answer = self.prepare(name, lock)
            if isinstance(answer, EnvironmentFailed):
                raise answer
        return info

    def prepare(self, name: str, lock: str | None = None) -> PreparedEnvironment | EnvironmentFailed:
        """Build and try a framework's environment here; one that fails is an answer, not an exception.

        `lock`: what to install, for a framework in a stated version.
        """
        wanted = framework_named(name)

        def note(text: str) -> None:
            self._activity = f"environment {wanted.environment}: {text}"

        note("building")
        try:
            built = build_environment(environment_of(name, lock), on_progress=note)
            note("checking")
            found = preflight(name, built)
        except EnvironmentFailed as error:
            return error
        finally:
            self._activity = "idle"
        self._pythons[name] = str(built.python)
        return PreparedEnvironment(
            name, wanted.title, built.lock_sha256, found.versions, built.build_s, built.reused
        )

    def start_processes(self, jobs: Sequence[RunJob]) -> None:
        """Start the processes of the runs that come next, while nothing is measured here."""

        def note(text: str) -> None:
            self._activity = text

        self._processes.start(((job.attempt_id, job.framework) for job in jobs), note)
        self._activity = "idle"

    def probe(self, block: str, when: Literal["before", "after"], number: int) -> Probe:
        """How fast the model is right now, by the same small request every time."""
        self._activity = "probing the model"
        at = datetime.now(UTC).isoformat()
        wanted = LeaseRequest(run_id=f"probe {number}", kind="probe", deadline_s=PROBE_TIMEOUT_S)
        try:
            self.serving.ensure()
            lease = self.serving.gateway.open_lease(wanted)
            try:
                answer = probe_model(lease.base_url, self.serving.server.served_model, PROBE_TIMEOUT_S)
            finally:
                self.serving.gateway.close_lease(lease)
        except LevelfieldError as error:
            answer = ProbeAnswer(seconds=None, error=str(error))
        self._activity = "idle"
        return as_probe(answer, number=number, node=self._name, block=block, when=when, at=at)

    def measure(self, job: RunJob) -> MeasuredRun:
        """One attempt: a fresh process, a lease, the run, the record. The clock starts after the imports."""
        self._activity = f"{job.assignment.key.framework} on {job.assignment.key.item}"
        try:
            process = self._processes.take(job.attempt_id, job.framework)
            try:
                ending = leased_run(
                    job,
                    self.serving,
                    boot=process.boot,
                    execute=partial(_execute, process, job.limits),
                    own_pids=partial(self._own_pids, process.pid),
                    cores=self._cores,
                )
            finally:
                process.end()
        except ServerUnavailable as error:
            ending = Ending(Status.MODEL_ERROR, str(error))
        except (RayError, LevelfieldError, OSError) as error:
            ending = Ending(Status.INFRASTRUCTURE_ERROR, f"{type(error).__name__}: {error}")
        finally:
            self._activity = "idle"
        wire = ending.wire
        return MeasuredRun(run_record(job, self._name, ending), list(wire.calls), list(wire.contaminated_by))

    def open_judging(self, deadline_s: float) -> Lease:
        """An endpoint for the judge, shared by many calls; refused while a run holds the node."""
        self.close_judging()
        self.serving.ensure()
        self._judging = self.serving.gateway.open_lease(
            LeaseRequest(run_id="judge", kind="judge", deadline_s=deadline_s)
        )
        return self._judging

    def close_judging(self) -> None:
        lease, self._judging = self._judging, None
        if lease and self.serving.gateway.alive:
            self.serving.gateway.close_lease(lease)

    def activity(self) -> Activity:
        if self._serving is None:
            return Activity(self._activity)
        try:
            return Activity(self._activity, self._serving.gateway.status())
        except NodeFailed:  # the gateway died: that is `measure`'s to notice
            return Activity(self._activity)

    def stop(self) -> None:
        """Leave no process behind."""
        self._processes.end()
        if self._serving:
            self._serving.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def serving(self) -> Serving:
        assert self._serving, "start() comes first"  # noqa: S101 - a caller's bug
        return self._serving

    def _own_pids(self, framework_pid: int) -> list[int]:
        """Whose processor time during a run is its own: the framework, the model, the gateway, this node."""
        # The raylet started this node and the actor that started the framework's process, and keeps them.
        ours = [os.getppid(), os.getpid(), framework_pid]
        return [*ours, *self.serving.server.pids(), *self.serving.gateway.pids()]


def _execute(process: FrameworkProcess, limits: Limits, request: RunRequest) -> WorkerResult | NoResult:
    with MemoryWatch(process.pid, limits.memory_mib) as memory:
        try:
            return process.execute(request, limits.run_timeout_s)
        except GetTimeoutError:
            return NoResult(TOO_LATE, timed_out=True)
        except RayError as error:
            if memory.exceeded:
                return NoResult(memory.exceeded, over_memory=True)
            cause = getattr(error, "cause", None) or error
            why = f"The framework's process died: {type(cause).__name__}: {cause}"
            return NoResult(why[:ERROR_CHARACTERS])
