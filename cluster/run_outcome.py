"""From what a worker said and what the wire shows to a run's status: pure code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from cluster.framework_worker import WorkerResult
from cluster.gateway.exchange import RECORDING_ENDED
from cluster.model_answers import is_cut_off_call, is_empty
from cluster.servers.interface import TokenCounters
from shared.calls import Call
from shared.records import Status

CUT_OFF = "the agent's max_tokens cut a tool call off"


@dataclass(frozen=True, slots=True)
class Wire:
    """What the gateway saw of one run."""

    calls: Sequence[Call]
    opened_at_s: float = 0.0
    """On the machine's monotonic clock: where the calls' own times begin."""
    budget_exceeded: Sequence[str] = ()
    """Which of the lease's budgets ran out, in words."""
    contaminated: bool = False
    """Whether another run's traffic came in between."""
    contaminated_by: Sequence[str] = ()
    """Attempt ids of those runs."""
    stray_calls: int = 0
    journal_error: str | None = None
    """Why the gateway could not put a call on disk."""
    server_tokens: TokenCounters | None = None
    """By how much the model server's own counters grew."""

    @property
    def model_calls(self) -> list[Call]:
        return [call for call in self.calls if call.kind == "model"]

    @property
    def tool_failure(self) -> str | None:
        """A tool call that was answered with a fault of ours, whatever the framework made of it."""
        failed = (call for call in self.calls if call.kind == "tool" and call.status >= 500)
        return next((f"{call.path}: HTTP {call.status}: {call.error}" for call in failed), None)


HELD_SHARE = 0.1
"""Of a run's time: who was kept waiting for more than that has not had its time."""


def classify(
    result: WorkerResult | None,
    wire: Wire,
    *,
    timed_out: bool = False,
    over_memory: bool = False,
    run_timeout_s: float = 0,
) -> tuple[Status, str | None]:
    """The run's status, and in words what went wrong.

    Args:
        result: What the framework's process answered; None when it died or was stopped at the deadline.
        wire: What the gateway saw.
        timed_out: Whether the run's deadline had passed.
        over_memory: Whether it was ended for the memory that it held.
        run_timeout_s: What the run had until that deadline.
    """
    ours = Status.INFRASTRUCTURE_ERROR
    disturbed = "Another run's request reached this node during the run."
    too_late = "Still running at the run's deadline (limits.run_timeout_s)."
    held_s = sum(call.rate_limited_s for call in wire.calls)
    held_up = f"Its calls waited {held_s:.0f} s for the service's rate limit, and its deadline passed."
    too_large = "It held more memory than a run may (limits.memory_mib)."
    for happened, status, why in (
        (wire.journal_error is not None, ours, wire.journal_error),
        (wire.tool_failure is not None, ours, wire.tool_failure),
        (wire.contaminated, Status.CONTAMINATED, disturbed),
        (timed_out and held_s > HELD_SHARE * run_timeout_s, ours, held_up),
        (timed_out, Status.TIMEOUT, too_late),
        (over_memory, Status.LIMIT_REACHED, too_large),
    ):
        if happened:
            return status, why
    if result is None:
        return ours, "The framework's process died."
    if result.outcome is None:
        return _failed(result, wire)
    return (Status.COMPLETED, None) if result.outcome.text.strip() else _empty(wire)


def limits_hit(wire: Wire) -> list[str]:
    """Answers cut off by an agent's max_tokens, by the order of model calls from 1, and used-up budgets."""
    cut = [
        f"model call {number}: max_tokens"
        for number, call in enumerate(wire.model_calls, start=1)
        if call.finish_reason == "length"
    ]
    return [*cut, *wire.budget_exceeded]


def _failed(result: WorkerResult, wire: Wire) -> tuple[Status, str | None]:
    if wire.budget_exceeded:
        return Status.LIMIT_REACHED, f"{'; '.join(wire.budget_exceeded)}\n{result.error}"
    if result.limit_reached:
        return Status.LIMIT_REACHED, result.error
    for why, status in _causes(wire):
        if why:
            return status, f"{why}\n{result.error}"
    return Status.FRAMEWORK_ERROR, result.error


def _causes(wire: Wire) -> Iterator[tuple[str | None, Status]]:
    """What the wire shows to have brought a framework down, the surest first; None where it does not."""
    answered = [(number, call) for number, call in enumerate(wire.model_calls, start=1) if not call.failed]
    # A server that then refuses to read the broken call again fails because of it.
    yield _first(answered[-1:], is_cut_off_call, CUT_OFF), Status.LIMIT_REACHED
    yield _server_failure(wire), Status.MODEL_ERROR
    yield _first(answered, is_cut_off_call, CUT_OFF), Status.LIMIT_REACHED
    yield _first(answered, is_empty, "the answer was empty"), Status.MODEL_ERROR


def _first(answered: Iterable[tuple[int, Call]], happened: Callable[[Call], bool], what: str) -> str | None:
    for number, call in answered:
        if happened(call):
            return f"Model call {number}: {what}."
    return None


def _empty(wire: Wire) -> tuple[Status, str | None]:
    answers = wire.model_calls
    if answers and answers[-1].completion_tokens:
        return Status.FRAMEWORK_ERROR, "The framework returned no text although the model had answered."
    return Status.MODEL_ERROR, "The model's last answer was empty."


def _server_failure(wire: Wire) -> str | None:
    """The last model call's failure, if it is the server's: not a 4xx, which says the request was wrong."""
    calls = wire.model_calls
    if not calls or not calls[-1].failed:
        return None
    last = calls[-1]
    if 400 <= last.status < 500 and last.status not in (408, RECORDING_ENDED, 429, 499):
        return None
    return f"Model call {len(calls)}: HTTP {last.status}: {last.error or 'failed'}"
