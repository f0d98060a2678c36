"""One attempt's record, from what its process and its wire say: pure code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cluster.framework_worker import WorkerResult
from cluster.gateway.intervals import union_seconds
from cluster.run_job import RunJob
from cluster.run_outcome import Wire, limits_hit
from shared.calls import Call
from shared.contract import Outcome
from shared.latency import decode_rate, held_s, take_apart, take_apart_by_agent
from shared.records import Boot, RunRecord, Status
from shared.surroundings import MachineLoad

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
    """Wall clock at the lease's opening, UTC, ISO 8601: where the calls' times begin."""
    ended_s: float | None = None
    """When the outcome came or was given up, on the clock of the calls."""
    machine: MachineLoad | None = None


def run_record(job: RunJob, node: str, ending: Ending) -> RunRecord:
    """Tokens and calls are the wire's; the framework's own counts stand beside them."""
    result, wire = ending.result, ending.wire
    outcome = result.outcome if result and result.outcome else NO_OUTCOME
    grown = wire.server_tokens
    return RunRecord(
        key=job.assignment.key,
        attempt=job.assignment.attempt,
        attempt_id=job.attempt_id,
        status=ending.status,
        error=ending.error,
        position=job.assignment.position,
        node=node,
        started_at=ending.started_at or datetime.now(UTC).isoformat(),
        ended_s=ending.ended_s,
        **_times(result, wire),
        **_traffic(wire.calls),
        native_prompt_tokens=outcome.native_prompt_tokens,
        native_completion_tokens=outcome.native_completion_tokens,
        server_prompt_tokens=grown.prompt_tokens if grown else None,
        server_completion_tokens=grown.completion_tokens if grown else None,
        text=outcome.text,
        agent_outputs=outcome.agent_outputs,
        limits_hit=limits_hit(wire),
        boot=ending.boot,
        machine=ending.machine,
        stray_calls=wire.stray_calls,
        trace_id=job.trace.trace_id,
        log=list(result.log) if result else [],
        replay_of=job.replay_of,
        details=outcome.details,
    )


def _times(result: WorkerResult | None, wire: Wire) -> dict[str, Any]:
    """Latency and its parts; the framework's process and the gateway share the machine's clock."""
    spent = {"model_s": union_seconds(wire.calls, "model"), "tool_s": union_seconds(wire.calls, "tool")}
    if result is None:
        return spent
    started_s = result.started_at_s - wire.opened_at_s
    ended_s = result.ended_at_s - wire.opened_at_s
    waited_s = held_s(wire.calls, started_s, ended_s)
    return spent | {
        "latency_s": result.latency_s - waited_s,
        "rate_limited_s": waited_s,
        "started_s": started_s,
        "parts": take_apart(wire.calls, started_s, ended_s),
        "agent_parts": take_apart_by_agent(wire.calls, started_s, ended_s),
    }


def _traffic(calls: Sequence[Call]) -> dict[str, Any]:
    """A call that was repeated counts as its last repeat; what came before is counted apart."""
    repeated = {call.retry_of for call in calls if call.retry_of is not None}
    model_calls = [call for call in calls if call.kind == "model"]
    counted = [call for call in model_calls if call.sequence not in repeated]
    again = [call for call in model_calls if call.sequence in repeated]
    rates = [rate for call in counted if (rate := decode_rate(call)) is not None]
    cached = [call.cached_tokens for call in counted if call.cached_tokens is not None]
    return {
        "prompt_tokens": sum(call.prompt_tokens or 0 for call in counted),
        "completion_tokens": sum(call.completion_tokens or 0 for call in counted),
        "cached_tokens": sum(cached) if cached else None,
        "slowest_call_tokens_per_s": min(rates, default=None),
        "fastest_call_tokens_per_s": max(rates, default=None),
        "model_calls": len(counted),
        "tool_calls": len(calls) - len(model_calls),
        "retried_calls": len(again),
        "retried_tokens": sum((call.prompt_tokens or 0) + (call.completion_tokens or 0) for call in again),
    }
