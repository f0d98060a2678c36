"""Leases: who may use the node, until when, and how much. Pure code with an injected clock.

One run at a time. A judge's lease admits many calls at once, and only while no run holds the node.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from cluster.gateway.recorded import RecordedAnswer
from cluster.gateway.retries import Retries
from cluster.gateway.scrub import TOKEN_MARK
from shared.calls import Asked, Call
from shared.strict import Strict
from shared.tasks.toolbox import Toolbox
from shared.tools.tools import Tools

TRACEPARENT = r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"
"""W3C Trace Context, version 00."""


class Player(Strict):
    """How a model is asked that plays people in the run's tools."""

    model: str
    seed: int
    recorded: list[Asked] | None = None
    """In a replay: what was said then, in order, to be said again."""


class LeaseRequest(Strict):
    """What a lease is asked for."""

    run_id: str
    attempt_id: str = ""
    kind: Literal["run", "judge", "probe"]
    """A probe's lease is like a run's."""
    deadline_s: float = Field(gt=0)
    """From the opening; calls that come later are refused."""
    request_timeout_s: float = Field(default=300, gt=0)
    """For one call to the model server."""
    max_model_calls: int | None = None
    max_completion_tokens: int | None = None
    toolbox: Toolbox | None = None
    """None: there are no tools."""
    player: Player | None = None
    """None: the tools ask no model."""
    traceparent: str | None = Field(default=None, pattern=TRACEPARENT)
    """Of the run's root span; each call then is a span below it."""
    replay: list[RecordedAnswer] | None = None
    """Answer model calls from these and ask no server."""
    replay_timing: Literal["instant", "recorded"] = "instant"
    """Whether a recorded answer comes at once, or as slowly as it came then."""

    @property
    def trace_id(self) -> str | None:
        return self.traceparent.split("-")[1] if self.traceparent else None

    @property
    def has_model_times(self) -> bool:
        """Whether a model's speed shows in the times of its calls."""
        return self.replay is None or self.replay_timing == "recorded"


class LeaseReport(Strict):
    """What happened under a lease."""

    calls: list[Call]
    budget_exceeded: list[str]
    """In words, the budgets that a call was refused for."""
    stray_calls: int
    """Calls with an unknown or closed token that came meanwhile; all were refused."""
    contaminated: bool
    """Whether one of them came from another run."""
    contaminated_by: list[str] = Field(default_factory=list)
    """Attempt ids of these other runs. They went on after their end, so they are not clean either."""
    journal_error: str | None
    """Why a call could not be put on disk."""
    opened_at_s: float
    """On the machine's monotonic clock: where the calls' times begin."""


class GatewayStatus(Strict):
    """Of the open lease; zeros when none is."""

    run_id: str | None = None
    seconds: float = 0
    model_calls: int = 0
    in_flight: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Refused(Exception):
    """A call outside its lease; the status is one that clients do not retry."""

    def __init__(self, code: str, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class LeaseConflict(Exception):
    """The node is taken."""


@dataclass
class OpenLease:
    """One lease and what happened under it so far."""

    token: str
    request: LeaseRequest
    opened_at: float
    clock: Callable[[], float]
    calls: list[Call] = field(default_factory=list)
    retries: Retries = field(default_factory=Retries)
    delivered_s: dict[int, float] = field(default_factory=dict)
    """By sequence; of calls whose answer was handed to the client."""
    budget_exceeded: list[str] = field(default_factory=list)
    begun: int = 0
    """Calls admitted, which are their sequence numbers."""
    model_calls: int = 0
    in_flight: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    stray_calls: int = 0
    contaminated: bool = False
    contaminated_by: list[str] = field(default_factory=list)
    journal_error: str | None = None
    tools: Tools | None = None
    """Opened with the lease: they may remember what the run did."""
    one_tool_call: asyncio.Lock = field(default_factory=asyncio.Lock)

    def elapsed_s(self) -> float:
        return self.clock() - self.opened_at

    def call_timeout_s(self, spent_s: float = 0.0) -> float:
        """For a call that has taken `spent_s`: what is left of its own limit, or until the deadline."""
        left_s = self.request.request_timeout_s - spent_s
        return max(0.1, min(left_s, self.request.deadline_s - self.elapsed_s()))

    def begin(self, kind: Literal["model", "tool"]) -> int:
        """Admit one call and number it, from 1. Raises Refused past the deadline or a budget."""
        if self.elapsed_s() > self.request.deadline_s:
            raise Refused("lease_expired", "The run's deadline has passed.")
        if kind == "model":
            self._check_budgets()
            self.model_calls += 1
        self.begun += 1
        self.in_flight += 1
        return self.begun

    def end(self, call: Call) -> None:
        self.in_flight -= 1
        self.prompt_tokens += call.prompt_tokens or 0
        self.completion_tokens += call.completion_tokens or 0
        self.calls.append(call)

    def report(self) -> LeaseReport:
        return LeaseReport(
            calls=[
                call.model_copy(update={"delivered_s": self.delivered_s.get(call.sequence)})
                for call in sorted(self.calls, key=lambda call: call.sequence)
            ],
            budget_exceeded=self.budget_exceeded,
            stray_calls=self.stray_calls,
            contaminated=self.contaminated,
            contaminated_by=self.contaminated_by,
            journal_error=self.journal_error,
            opened_at_s=self.opened_at,
        )

    def status(self) -> GatewayStatus:
        return GatewayStatus(
            run_id=self.request.run_id,
            seconds=self.elapsed_s(),
            model_calls=self.model_calls,
            in_flight=self.in_flight,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
        )

    def disturbed_by(self, ended: LeaseRequest) -> None:
        self.contaminated = True
        if ended.attempt_id and ended.attempt_id not in self.contaminated_by:
            self.contaminated_by.append(ended.attempt_id)

    def _check_budgets(self) -> None:
        wanted = self.request
        if wanted.max_model_calls is not None and self.model_calls >= wanted.max_model_calls:
            self._over(f"the run's budget of {wanted.max_model_calls} model calls is used up")
        most = wanted.max_completion_tokens
        if most is not None and self.completion_tokens >= most:
            self._over(f"the run's budget of {most} completion tokens is used up")

    def _over(self, what: str) -> None:
        if what not in self.budget_exceeded:
            self.budget_exceeded.append(what)
        raise Refused("budget_exceeded", what[0].upper() + what[1:] + ".")


class Leases:
    """All leases of one node."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[str, OpenLease] = {}
        self._ended_runs: dict[str, LeaseRequest] = {}

    @property
    def current(self) -> OpenLease | None:
        return next(iter(self._open.values()), None)

    def open(self, request: LeaseRequest) -> OpenLease:
        """Raises LeaseConflict when the node is taken."""
        if self.current:
            raise LeaseConflict(f"The node is taken by {self.current.request.run_id}.")
        token = TOKEN_MARK + secrets.token_urlsafe(24)
        lease = OpenLease(token, request, self._clock(), self._clock)
        self._open[token] = lease
        return lease

    def holding(self, token: str) -> OpenLease:
        """The open lease of a token; any other token is refused and counted against whoever is open."""
        lease = self._open.get(token)
        if lease:
            return lease
        ended = self._ended_runs.get(token)
        if self.current:
            self.current.stray_calls += 1
            if ended:
                self.current.disturbed_by(ended)
        if ended:
            raise Refused("lease_closed", "This run has ended; its address takes no more calls.")
        raise Refused("lease_unknown", "No run has this address.")

    def close(self, token: str) -> OpenLease:
        """Raises KeyError for a token that is not open."""
        lease = self._open.pop(token)
        if lease.request.kind != "judge":
            # What the run was answered from, recordings and tool data, is not needed to know it again.
            self._ended_runs[token] = lease.request.model_copy(
                update={"toolbox": None, "player": None, "replay": None}
            )
        return lease
