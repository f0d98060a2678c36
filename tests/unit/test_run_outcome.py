"""How a run ended is read from the worker's answer and the wire, and our faults are never a framework's."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.framework_worker import WorkerResult
from cluster.gateway.exchange import RECORDING_ENDED
from cluster.run_outcome import Wire, classify, limits_hit
from shared.calls import Call
from shared.contract import Outcome
from shared.records import Status


def call(
    status: int = 200, error: str | None = None, finish: str = "stop", tokens: int = 5, **said: Any
) -> Call:
    return Call(
        sequence=1, kind="model", path="/v1/chat/completions", arrived_s=0, last_byte_s=1, status=status,
        error=error, finish_reason=finish, completion_tokens=tokens,
        response={"choices": [{"message": {"content": "Text."} | said}]},
    )  # fmt: skip


def tool_call(arguments: str, finish: str) -> Call:
    function = {"name": "search", "arguments": arguments}
    return call(finish=finish, content="", tool_calls=[{"function": function}])


def tool(status: int) -> Call:
    return Call(
        sequence=1, kind="tool", path="/tools/query", arrived_s=0, last_byte_s=1, status=status, error="no"
    )


OK = WorkerResult(0.0, 1.0, outcome=Outcome("report", {"writer": "report"}))
EMPTY = WorkerResult(0.0, 1.0, outcome=Outcome(" \n", {}))
RAISED = WorkerResult(0.0, 1.0, error="ValueError: no")
CUT = tool_call('{"query": "ne', "length")
LIMITED = WorkerResult(0.0, 1.0, error="LimitReached", limit_reached=True)


@pytest.mark.parametrize(
    ("result", "wire", "status"),
    [
        (OK, Wire([call()]), Status.COMPLETED),
        (OK, Wire([call(500), call()]), Status.COMPLETED),
        (OK, Wire([call()], contaminated=True), Status.CONTAMINATED),
        (None, Wire([]), Status.INFRASTRUCTURE_ERROR),
        (RAISED, Wire([call(507)], journal_error="disk full"), Status.INFRASTRUCTURE_ERROR),
        (RAISED, Wire([call(), tool(500)]), Status.INFRASTRUCTURE_ERROR),
        (OK, Wire([call(), tool(500), call()]), Status.INFRASTRUCTURE_ERROR),
        (OK, Wire([call(), tool(404), call()]), Status.COMPLETED),
        (RAISED, Wire([call(), tool(400)]), Status.FRAMEWORK_ERROR),
        (RAISED, Wire([]), Status.FRAMEWORK_ERROR),
        (RAISED, Wire([call()]), Status.FRAMEWORK_ERROR),
        (RAISED, Wire([call(400)]), Status.FRAMEWORK_ERROR),
        (RAISED, Wire([call(500)]), Status.MODEL_ERROR),
        (RAISED, Wire([call(429)]), Status.MODEL_ERROR),
        (RAISED, Wire([call(RECORDING_ENDED, "no answer left")]), Status.MODEL_ERROR),
        (RAISED, Wire([call(200, error="not JSON")]), Status.MODEL_ERROR),
        (RAISED, Wire([call(502)], budget_exceeded=["3 model calls"]), Status.LIMIT_REACHED),
        (LIMITED, Wire([call()]), Status.LIMIT_REACHED),
        (RAISED, Wire([CUT]), Status.LIMIT_REACHED),
        (RAISED, Wire([CUT, call(500)]), Status.LIMIT_REACHED),
        (RAISED, Wire([CUT, call()]), Status.LIMIT_REACHED),
        (RAISED, Wire([CUT, call(), call(500)]), Status.MODEL_ERROR),
        (RAISED, Wire([tool_call('{"query": "news"}', "length")]), Status.FRAMEWORK_ERROR),
        (RAISED, Wire([call(content="")]), Status.MODEL_ERROR),
        (OK, Wire([CUT, call()]), Status.COMPLETED),
        (EMPTY, Wire([call(tokens=0)]), Status.MODEL_ERROR),
        (EMPTY, Wire([call(tokens=9)]), Status.FRAMEWORK_ERROR),
    ],
)
def test_status(result: WorkerResult | None, wire: Wire, status: Status) -> None:
    """Each way to end has its one status, and every status but completed says why."""
    found, error = classify(result, wire)
    assert found is status
    assert (error is None) == (status is Status.COMPLETED)


def test_a_deadline_that_passed_while_a_service_held_calls_up_is_ours() -> None:
    """The run did not have its whole time, so it is measured again and counts against no framework."""
    held = call().model_copy(update={"rate_limited": 1, "rate_limited_s": 12.4})
    status, error = classify(None, Wire([held]), timed_out=True, run_timeout_s=60)
    assert status is Status.INFRASTRUCTURE_ERROR
    assert "waited 12 s for the service's rate limit" in str(error)
    # A framework that would not have ended in its other half an hour either is no fault of the service's.
    assert classify(None, Wire([held]), timed_out=True, run_timeout_s=1800)[0] is Status.TIMEOUT


def test_a_deadline_is_a_timeout_whatever_the_process_did() -> None:
    """A run stopped at its deadline is a timeout, not a dead process."""
    assert classify(None, Wire([]), timed_out=True)[0] is Status.TIMEOUT


def test_too_much_memory_is_a_limit_of_the_run() -> None:
    """A run ended for its memory is the framework's doing, not a dead process of ours."""
    status, error = classify(None, Wire([]), over_memory=True)
    assert status is Status.LIMIT_REACHED
    assert "limits.memory_mib" in (error or "")


def test_cut_off_answers_are_limits_hit() -> None:
    """Only answers that the token limit cut off are listed, by their place."""
    assert limits_hit(Wire([call(), call(finish="length")])) == ["model call 2: max_tokens"]


def test_a_budget_that_ran_out_is_a_limit_hit() -> None:
    """A framework may answer although a call of its was refused: the record says so."""
    assert limits_hit(Wire([call()], budget_exceeded=["9 model calls"])) == ["9 model calls"]
