"""What a record says of an attempt: from its process and its wire."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.framework_worker import WorkerResult
from cluster.run_job import RunJob
from cluster.run_outcome import Wire
from cluster.run_record import Ending, run_record
from cluster.schedule import Assignment
from cluster.servers.interface import TokenCounters
from shared.calls import Call, ServerTimings
from shared.contract import AgentSpec, Outcome, ToolSpec
from shared.plan import Limits
from shared.records import RunKey, Status
from shared.trace import new_trace

AGENT = AgentSpec("writer", "You write.", "Write.", 100)
JOB = RunJob(
    Assignment(RunKey(framework="a-aa", arm="idiomatic", task="t", item="x", iteration=1), 2, 7),
    attempt_id="abc",
    agents=(AGENT,),
    toolbox=None,
    temperature=0,
    seed=7,
    limits=Limits(max_steps=5),
    trace=new_trace(),
)


def call(sequence: int, start: float, end: float, **fields: Any) -> Call:
    values: dict[str, Any] = {
        "sequence": sequence, "kind": "model", "path": "/v1/chat/completions", "arrived_s": start,
        "forwarded_s": start, "last_byte_s": end, "status": 200, "agent": "writer", "prompt_tokens": 10,
        "completion_tokens": 5,
    }  # fmt: skip
    return Call(**values | fields)


def ending(*calls: Call, result: WorkerResult | None = None, **wire: Any) -> Ending:
    return Ending(Status.COMPLETED, result=result, wire=Wire(list(calls), **wire))


DONE = WorkerResult(102.0, 107.5, outcome=Outcome("report", {"writer": "report"}))


def test_times_are_on_one_clock() -> None:
    """A lease opened at 100 on the machine's clock, a run from 102 to 107.5: the call at 3 to 5 is inside."""
    record = run_record(JOB, "n", ending(call(1, 3, 5), result=DONE, opened_at_s=100.0))
    assert (record.latency_s, record.started_s) == (5.5, 2.0)
    assert record.parts
    assert (record.parts.model_s, record.parts.framework_s) == (2.0, 3.5)
    assert record.agent_parts["writer"].total_s == pytest.approx(5.5)
    assert (record.attempt_id, record.attempt, record.trace_id) == ("abc", 2, JOB.trace.trace_id)


def test_waiting_for_a_rate_limit_is_no_latency() -> None:
    """Of 5.5 s, 1.5 s were spent waiting to be let in: they stand apart, and the parts add up to the rest."""
    held = call(1, 3, 6, forwarded_s=5, rate_limited=1, rate_limited_s=1.5)
    record = run_record(JOB, "n", ending(held, result=DONE, opened_at_s=100.0))
    assert (record.latency_s, record.rate_limited_s, record.model_s) == (4.0, 1.5, 1.5)
    assert record.parts
    assert record.parts.total_s == pytest.approx(4.0)
    assert record.agent_parts["writer"].total_s == pytest.approx(4.0)


def test_a_process_that_died_has_no_latency() -> None:
    """Its calls are still counted."""
    record = run_record(JOB, "n", ending(call(1, 0, 2)))
    assert (record.latency_s, record.parts, record.agent_parts) == (None, None, {})
    assert (record.model_s, record.model_calls) == (2, 1)


def test_a_retried_call_counts_once_and_its_traffic_apart() -> None:
    """Three requests for one answer are one call of the plan's, and two retried ones with their tokens."""
    record = run_record(
        JOB,
        "n",
        ending(
            call(1, 0, 1, status=500, completion_tokens=None),
            call(2, 1, 2, status=499, retry_of=1),
            call(3, 2, 3, retry_of=2, cached_tokens=4),
            call(4, 3, 4, prompt_tokens=20),
        ),
    )
    assert (record.model_calls, record.retried_calls) == (2, 2)
    assert (record.prompt_tokens, record.completion_tokens, record.cached_tokens) == (30, 10, 4)
    assert record.retried_tokens == 10 + 15


def test_the_slowest_and_the_fastest_call_are_kept() -> None:
    """10 tokens decoded in 0.5 s and in 1 s; a call of few tokens, or that tells no decoding, says nothing."""
    told = [ServerTimings(prefill_s=0.1, decode_s=seconds) for seconds in (0.5, 1.0)]
    record = run_record(
        JOB,
        "n",
        ending(
            call(1, 0, 2, completion_tokens=10, server=told[0]),
            call(2, 2, 4, completion_tokens=10, server=told[1]),
            call(3, 4, 6, completion_tokens=2, server=told[0]),
            call(4, 6, 8, completion_tokens=100),
        ),
    )
    assert (record.slowest_call_tokens_per_s, record.fastest_call_tokens_per_s) == (10.0, 20.0)


def test_the_servers_own_count_stands_beside_the_wires() -> None:
    """By how much its counters grew; nothing where it has none."""
    record = run_record(JOB, "n", ending(server_tokens=TokenCounters(11, 6)))
    assert (record.server_prompt_tokens, record.server_completion_tokens) == (11, 6)
    record = run_record(JOB, "n", ending())
    assert (record.server_prompt_tokens, record.cached_tokens) == (None, None)


def test_budgets_leave_room_but_end() -> None:
    """A run may send several times what the plan needs: twice a call per agent, or its steps with tools."""
    assert (JOB.most_model_calls, JOB.most_completion_tokens) == (4, 400)
    tool = ToolSpec("search", "s", {})
    with_tools = AgentSpec("researcher", "i", "r", 50, (tool,))
    job = RunJob(JOB.assignment, "abc", (with_tools, AGENT), {}, 0, 7, Limits(max_steps=5), JOB.trace)
    assert (job.most_model_calls, job.most_completion_tokens) == (2 * (5 + 2), 2 * (5 * 50 + 2 * 100))


def test_a_twin_runs_in_its_frameworks_environment() -> None:
    """The subject a-aa is framework a."""
    assert JOB.framework == "a"
