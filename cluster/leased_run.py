"""One run under its lease: what is told to the gateway and the framework, and what the wire shows of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cluster.attribution import attributed
from cluster.framework_worker import WorkerResult
from cluster.gateway.lease import LeaseRequest, Player
from cluster.gateway.process import Lease
from cluster.machine_load import LoadMeter
from cluster.run_job import RunJob
from cluster.run_outcome import Wire, classify
from cluster.run_record import Ending
from cluster.servers.interface import TokenCounters, growth
from cluster.serving import Serving
from shared.calls import Call
from shared.contract import RunRequest
from shared.records import Boot, Status

GRACE_S = 5.0
"""After a run's deadline, for the gateway's own time-outs to be reported first."""


@dataclass(frozen=True, slots=True)
class NoResult:
    """Why a framework's process gave no answer."""

    why: str
    timed_out: bool = False
    over_memory: bool = False


def leased_run(
    job: RunJob,
    serving: Serving,
    *,
    boot: Boot | None,
    execute: Callable[[RunRequest], WorkerResult | NoResult],
    own_pids: Callable[[], list[int]],
    cores: Collection[int] | None = None,
) -> Ending:
    """Open the lease, run, close it, and say how it ended.

    Raises:
        LevelfieldError: The server or the gateway cannot be started again.
    """
    serving.ensure()
    server, gateway = serving.server, serving.gateway
    counted = server.counters()
    meter = LoadMeter(own_pids if server.ours else None, cores=cores)
    lease = gateway.open_lease(_lease_request(job, server.served_model))
    meter.start()
    try:
        answer = execute(_run_request(job, lease, server.served_model))
    finally:
        load = meter.stop()
        ended_at_s = time.monotonic()
        report = gateway.close_lease(lease)
    result = answer if isinstance(answer, WorkerResult) else None
    wire = Wire(
        calls=attributed(report.calls, job.agents),
        opened_at_s=report.opened_at_s,
        budget_exceeded=report.budget_exceeded,
        contaminated=report.contaminated,
        contaminated_by=report.contaminated_by,
        stray_calls=report.stray_calls,
        journal_error=report.journal_error,
        server_tokens=_without_asked(growth(counted, server.counters()), report.calls),
    )
    since_s = time.monotonic() - report.opened_at_s
    ending = Ending(
        Status.INFRASTRUCTURE_ERROR,
        result=result,
        wire=wire,
        boot=boot,
        started_at=(datetime.now(UTC) - timedelta(seconds=since_s)).isoformat(),
        ended_s=(result.ended_at_s if result else ended_at_s) - report.opened_at_s,
        machine=load,
    )
    if died := serving.death():
        return replace(ending, error=died)
    none = answer if isinstance(answer, NoResult) else None
    status, error = classify(
        result,
        wire,
        timed_out=none is not None and none.timed_out,
        over_memory=none is not None and none.over_memory,
        run_timeout_s=job.limits.run_timeout_s,
    )
    # A framework's error message may hold the run's address, which is a secret.
    said = (none.why if none else error or "").replace(lease.token, "<run>")
    return replace(ending, status=status, error=said or None)


def _without_asked(counted: TokenCounters | None, calls: Collection[Call]) -> TokenCounters | None:
    """The server's count of the framework's own tokens: those for people in the tools are none of them."""
    asked = [asked for call in calls for asked in call.asked]
    if counted is None or not asked:
        return counted
    return growth(
        TokenCounters(
            sum(each.prompt_tokens or 0 for each in asked), sum(each.completion_tokens or 0 for each in asked)
        ),
        counted,
    )


def _lease_request(job: RunJob, model: str) -> LeaseRequest:
    played = job.toolbox is not None and job.toolbox.played_by == "model"
    return LeaseRequest(
        run_id=job.assignment.key.run_id,
        attempt_id=job.attempt_id,
        kind="run",
        deadline_s=job.limits.run_timeout_s + GRACE_S,
        request_timeout_s=job.limits.request_timeout_s,
        max_model_calls=job.most_model_calls,
        max_completion_tokens=job.most_completion_tokens,
        toolbox=job.toolbox,
        player=Player(model=model, seed=job.seed, recorded=job.replay_asked) if played else None,
        traceparent=job.trace.traceparent,
        replay=job.replay,
        replay_timing=job.replay_timing,
    )


def _run_request(job: RunJob, lease: Lease, model: str) -> RunRequest:
    return RunRequest(
        run_id=job.assignment.key.run_id,
        base_url=lease.base_url,
        tools_url=lease.tools_url,
        model=model,
        agents=job.agents,
        temperature=job.temperature,
        seed=job.seed,
        request_timeout_s=job.limits.request_timeout_s,
        max_steps=job.limits.max_steps,
        pattern=job.pattern,
        max_handoffs=job.max_handoffs,
        arm=job.assignment.key.arm,
        traceparent=job.trace.traceparent,
    )
