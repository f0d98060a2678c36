"""One inference node: a model server, its gateway, and one run at a time. A Ray actor in the cluster."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster.framework_worker import ERROR_CHARACTERS, BootReport, FrameworkWorker, WorkerResult
from cluster.gateway.intervals import union_seconds
from cluster.gateway.lease import GatewayStatus, LeaseRequest
from cluster.gateway.process import GatewayProcess, Lease
from cluster.machine import describe_machine
from cluster.run_job import RunJob
from cluster.run_outcome import Wire, classify, limits_hit
from cluster.servers import ModelServer, ServerIdentity, ServerOptions, open_server
from runtime_envs.build import build
from runtime_envs.catalog import framework as framework_named
from runtime_envs.catalog import process_variables
from runtime_envs.preflight import preflight
from shared.contract import RunRequest
from shared.errors import EnvironmentFailed, LevelfieldError, NodeFailed
from shared.records import Boot, Call, RunRecord

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
        try:
            worker, boot = self._boot(key.framework, scratch)
            return self._run(worker, boot, job)
        except (RayError, LevelfieldError, OSError) as error:
            return MeasuredRun(
                self._record(job, None, Wire([]), problem=f"{type(error).__name__}: {error}"), []
            )
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            self._activity = "idle"

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

    def _boot(self, framework: str, scratch: Path) -> tuple[Any, Boot]:
        """A new process in the framework's environment, its imports done."""
        asked = datetime.now(UTC)
        wanted = framework_named(framework)
        worker: Any = (
            ray.remote(FrameworkWorker)
            .options(
                num_cpus=0,  # it runs on the node that this actor already holds
                max_restarts=0,
                runtime_env={
                    "py_executable": self._pythons[framework],
                    "env_vars": process_variables(wanted, scratch),
                },
                scheduling_strategy=NodeAffinitySchedulingStrategy(
                    ray.get_runtime_context().get_node_id(), soft=False
                ),
            )
            .remote()
        )
        report: BootReport = ray.get(worker.boot.remote(wanted.adapter), timeout=BOOT_TIMEOUT_S)
        process_s = (datetime.now(UTC) - asked).total_seconds() - report.import_s
        return worker, Boot(
            process_s=process_s, import_s=report.import_s, versions=report.versions, python=report.python
        )

    def _run(self, worker: Any, boot: Boot, job: RunJob) -> MeasuredRun:
        self._ensure_serving()
        started_at = datetime.now(UTC).isoformat()
        lease = self.gateway.open_lease(self._lease_request(job))
        try:
            result, problem = _execute(worker, self._request(job, lease), job.limits.run_timeout_s)
        finally:
            ray.kill(worker)
            report = self.gateway.close_lease(lease)
        wire = Wire(report.calls, report.budget_exceeded, report.contaminated, report.journal_error)
        record = self._record(job, result, wire, boot=boot, started_at=started_at, problem=problem)
        return MeasuredRun(record, list(wire.calls))

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

    def _record(
        self,
        job: RunJob,
        result: WorkerResult | None,
        wire: Wire,
        *,
        boot: Boot | None = None,
        started_at: str | None = None,
        problem: str | None = None,
    ) -> RunRecord:
        status, error = classify(result, wire, timed_out=problem == TOO_LATE)
        outcome = result.outcome if result else None
        model_calls = wire.model_calls
        return RunRecord(
            key=job.assignment.key,
            attempt=job.assignment.attempt,
            attempt_id=secrets.token_hex(8),
            status=status,
            error=problem or error,
            position=job.assignment.position,
            node=self._name,
            started_at=started_at or datetime.now(UTC).isoformat(),
            latency_s=result.latency_s if result else None,
            model_s=union_seconds(wire.calls, "model"),
            tool_s=union_seconds(wire.calls, "tool"),
            prompt_tokens=sum(call.prompt_tokens or 0 for call in model_calls),
            completion_tokens=sum(call.completion_tokens or 0 for call in model_calls),
            model_calls=len(model_calls),
            tool_calls=len(wire.calls) - len(model_calls),
            native_prompt_tokens=outcome.native_prompt_tokens if outcome else None,
            native_completion_tokens=outcome.native_completion_tokens if outcome else None,
            text=outcome.text if outcome else "",
            agent_outputs=outcome.agent_outputs if outcome else {},
            limits_hit=limits_hit(wire),
            boot=boot,
            details=outcome.details if outcome else {},
        )


def _execute(worker: Any, request: RunRequest, timeout_s: float) -> tuple[WorkerResult | None, str | None]:
    """The worker's answer; or None, and why there is none."""
    try:
        result: WorkerResult = ray.get(worker.execute.remote(request), timeout=timeout_s)
    except GetTimeoutError:
        return None, TOO_LATE
    except RayError as error:
        return None, f"The framework's process died: {type(error).__name__}: {error}"[:ERROR_CHARACTERS]
    if result.error:
        # The run's path is a secret: it must not reach a record through a framework's error message.
        hidden = result.error.replace(request.base_url, "<run>").replace(request.tools_url, "<run>")
        return WorkerResult(result.latency_s, error=hidden, limit_reached=result.limit_reached), None
    return result, None
