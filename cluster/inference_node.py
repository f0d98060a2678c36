"""One inference node: a model server, its gateway, and one run at a time. A Ray actor in the cluster."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster.framework_worker import ERROR_CHARACTERS, BootReport, FrameworkWorker, WorkerResult
from cluster.gateway.lease import GatewayStatus, LeaseRequest
from cluster.gateway.process import GatewayProcess, Lease
from cluster.machine import describe_machine
from cluster.run_job import RunJob
from cluster.run_outcome import Wire, classify
from cluster.run_record import Ending, run_record
from cluster.servers import ModelServer, ServerIdentity, ServerOptions, open_server
from runtime_envs.build import build
from runtime_envs.catalog import framework as framework_named
from runtime_envs.catalog import process_variables
from runtime_envs.preflight import preflight
from shared.calls import Call
from shared.contract import RunRequest
from shared.errors import EnvironmentFailed, LevelfieldError, NodeFailed, ServerUnavailable
from shared.records import Boot, RunRecord, Status

BOOT_TIMEOUT_S = 120.0
"""For a worker process to start and import its framework: seconds normally; preflight has seen it work."""
TOO_LATE = "Still running at the run's deadline (limits.run_timeout_s)."
GRACE_S = 5.0
"""After a run's deadline, for the gateway's own time-outs to be reported first."""


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """What a started node says of itself."""

    name: str
    identity: ServerIdentity
    hardware: dict[str, Any]


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
    """Started once; then `prepare` each framework, `measure` run after run, `open_judging` in between."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._activity = "starting"
        self._pythons: dict[str, str] = {}
        self._server: ModelServer | None = None
        self._gateway: GatewayProcess | None = None
        self._judging: Lease | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="levelfield-node-"))

    def start(self, setting: str, options: ServerOptions) -> NodeInfo:
        """Start the model server (or attach to it) and the gateway in front of it."""

        def note(text: str) -> None:
            self._activity = f"{setting}: {text}"

        note("starting")
        self._server = open_server(setting, replace(options, on_progress=note))
        self._server.start()
        self._open_gateway(self._server)
        self._activity = "idle"
        return NodeInfo(self._name, self._server.identity(), describe_machine())

    def prepare(self, name: str) -> PreparedEnvironment | EnvironmentFailed:
        """Build and try a framework's environment here; one that fails is an answer, not an exception."""
        wanted = framework_named(name)

        def note(text: str) -> None:
            self._activity = f"environment {wanted.environment}: {text}"

        note("building")
        try:
            built = build(wanted.environment, on_progress=note)
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

    def measure(self, job: RunJob) -> MeasuredRun:
        """One attempt: a fresh process, a lease, the run, the record. The clock starts after the imports."""
        key = job.assignment.key
        self._activity = f"{key.framework} on {key.item}"
        scratch = Path(tempfile.mkdtemp(prefix="run-", dir=self._folder))
        worker = self._new_worker(key.framework, scratch)
        try:
            ending = self._run(worker, _boot(worker, framework_named(key.framework).adapter), job)
        except ServerUnavailable as error:
            ending = Ending(Status.MODEL_ERROR, str(error))
        except (RayError, LevelfieldError, OSError) as error:
            ending = Ending(Status.INFRASTRUCTURE_ERROR, f"{type(error).__name__}: {error}")
        finally:
            ray.kill(worker)
            shutil.rmtree(scratch, ignore_errors=True)
            self._activity = "idle"
        return MeasuredRun(run_record(job, self._name, ending), list(ending.wire.calls))

    def open_judging(self, deadline_s: float) -> Lease:
        """An endpoint for the judge, shared by many calls; refused while a run holds the node."""
        self._activity = "judging"
        self._judging = self.gateway.open_lease(
            LeaseRequest(run_id="judge", kind="judge", deadline_s=deadline_s)
        )
        return self._judging

    def close_judging(self) -> None:
        if self._judging:
            self.gateway.close_lease(self._judging)
            self._judging = None
        self._activity = "idle"

    def activity(self) -> Activity:
        try:
            return Activity(self._activity, self._gateway.status() if self._gateway else None)
        except NodeFailed:  # the gateway died: that is `measure`'s to notice
            return Activity(self._activity)

    def stop(self) -> None:
        """Leave no process behind."""
        if self._gateway:
            self._gateway.stop()
        if self._server:
            self._server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def gateway(self) -> GatewayProcess:
        assert self._gateway, "start() comes first"  # noqa: S101 - a caller's bug
        return self._gateway

    def _new_worker(self, framework: str, scratch: Path) -> Any:
        """A process in the framework's environment, on this machine, that nobody used before."""
        return (
            ray.remote(FrameworkWorker)
            .options(
                num_cpus=0,  # it runs on the node that this actor already holds
                max_restarts=0,
                runtime_env={
                    "py_executable": self._pythons[framework],
                    "env_vars": process_variables(framework_named(framework), scratch),
                },
                scheduling_strategy=NodeAffinitySchedulingStrategy(
                    ray.get_runtime_context().get_node_id(), soft=False
                ),
            )
            .remote()
        )

    def _run(self, worker: Any, boot: Boot, job: RunJob) -> Ending:
        self._ensure_serving()
        started_at = datetime.now(UTC).isoformat()
        lease = self.gateway.open_lease(self._lease_request(job))
        try:
            result, no_result = _execute(worker, self._request(job, lease), job.limits.run_timeout_s)
        finally:
            report = self.gateway.close_lease(lease)
        wire = Wire(report.calls, report.budget_exceeded, report.contaminated, report.journal_error)
        assert self._server  # noqa: S101 - a caller's bug
        if self._server.ours and not self._server.healthy():
            died = f"The model server died during the run. The end of its log:\n{self._server.log_tail()}"
            return Ending(Status.INFRASTRUCTURE_ERROR, died, result, wire, boot, started_at)
        status, error = classify(result, wire, timed_out=no_result == TOO_LATE)
        # A framework's error message may hold the run's address, which is a secret.
        shown = (no_result or error or "").replace(lease.token, "<run>") or None
        return Ending(status, shown, result, wire, boot, started_at)

    def _open_gateway(self, server: ModelServer) -> None:
        gateway = GatewayProcess()
        gateway.start(server.base_url, server.api_key, self._folder)
        self._gateway = gateway

    def _ensure_serving(self) -> None:
        """Between runs: a gateway or a server of ours that died is started again."""
        assert self._server  # noqa: S101 - a caller's bug
        if self._server.healthy() and self.gateway.alive:
            return
        self.gateway.stop()
        self._server.stop()
        self._server.start()
        self._open_gateway(self._server)

    def _lease_request(self, job: RunJob) -> LeaseRequest:
        limits = job.limits
        calls = len(job.agents) * (limits.max_steps if any(agent.tools for agent in job.agents) else 2)
        return LeaseRequest(
            run_id=job.assignment.key.run_id,
            kind="run",
            deadline_s=limits.run_timeout_s + GRACE_S,
            request_timeout_s=limits.request_timeout_s,
            # Room for what a framework sends on its own account, which is counted and shown, not cut off.
            max_model_calls=2 * calls,
            tools=job.tool_data,
        )

    def _request(self, job: RunJob, lease: Lease) -> RunRequest:
        assert self._server  # noqa: S101 - a caller's bug
        return RunRequest(
            run_id=job.assignment.key.run_id,
            base_url=lease.base_url,
            tools_url=lease.tools_url,
            model=self._server.served_model,
            agents=job.agents,
            temperature=job.temperature,
            seed=job.seed,
            request_timeout_s=job.limits.request_timeout_s,
            max_steps=job.limits.max_steps,
            arm=job.assignment.key.arm,
        )


def _boot(worker: Any, adapter: str) -> Boot:
    """Wait for the process and its imports. Raises RayError when it does not come up in time."""
    asked = time.monotonic()
    report: BootReport = ray.get(worker.boot.remote(adapter), timeout=BOOT_TIMEOUT_S)
    return Boot(
        process_s=time.monotonic() - asked - report.import_s,
        import_s=report.import_s,
        versions=report.versions,
        python=report.python,
    )


def _execute(worker: Any, request: RunRequest, timeout_s: float) -> tuple[WorkerResult | None, str | None]:
    """The worker's answer; or None, and why there is none."""
    try:
        return ray.get(worker.execute.remote(request), timeout=timeout_s), None
    except GetTimeoutError:
        return None, TOO_LATE
    except RayError as error:
        return None, f"The framework's process died: {type(error).__name__}: {error}"[:ERROR_CHARACTERS]
