"""One attempt's record, from what its process and its wire say: pure code."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from cluster.framework_worker import WorkerResult
from cluster.gateway.intervals import union_seconds
from cluster.run_job import RunJob
from cluster.run_outcome import Wire, limits_hit
from shared.contract import Outcome
from shared.records import Boot, RunRecord, Status

NO_OUTCOME = Outcome(text="", agent_outputs={})
NOTHING_SEEN = Wire(())


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended."""

    status: Status
    error: str | None = None
    result: WorkerResult | None = None
    wire: Wire = NOTHING_SEEN
    boot: Boot | None = None
    started_at: str | None = None


def run_record(job: RunJob, node: str, ending: Ending) -> RunRecord:
    """Tokens and calls are the wire's; the framework's own counts stand beside them."""
    result, wire, key = ending.result, ending.wire, job.assignment.key
    outcome = result.outcome if result and result.outcome else NO_OUTCOME
    model_calls = wire.model_calls
    return RunRecord(
        key=key,
        attempt=job.assignment.attempt,
        attempt_id=secrets.token_hex(8),
        status=ending.status,
        error=ending.error,
        position=job.assignment.position,
        node=node,
        started_at=ending.started_at or datetime.now(UTC).isoformat(),
        latency_s=result.latency_s if result else None,
        model_s=union_seconds(wire.calls, "model"),
        tool_s=union_seconds(wire.calls, "tool"),
        prompt_tokens=sum(call.prompt_tokens or 0 for call in model_calls),
        completion_tokens=sum(call.completion_tokens or 0 for call in model_calls),
        model_calls=len(model_calls),
        tool_calls=len(wire.calls) - len(model_calls),
        native_prompt_tokens=outcome.native_prompt_tokens,
        native_completion_tokens=outcome.native_completion_tokens,
        text=outcome.text,
        agent_outputs=outcome.agent_outputs,
        limits_hit=limits_hit(wire),
        boot=ending.boot,
        details=outcome.details,
    )
