"""Who may call now: leases, their deadlines and their budgets. No network, and the clock is handed in."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from cluster.gateway.journal import Journal
from cluster.gateway.messages import GatewayStatus, LeaseReport, LeaseRequest
from cluster.gateway.refusal import COMPLETION_TOKENS, EXPIRED, MODEL_CALLS, UNKNOWN_RUN, Refusal
from shared.records import Call

Clock = Callable[[], float]


class LeaseRefused(Exception):  # noqa: N818 - it is an answer
    """The node is taken."""


@dataclass(slots=True)
class OpenLease:
    request: LeaseRequest
    token: str
    opened_at: float
    clock: Clock
    journal: Journal
    calls: list[Call] = field(default_factory=list)
    in_flight: dict[int, asyncio.Task[object]] = field(default_factory=dict)
    sequence: int = 0
    model_calls: int = 0
    completion_tokens: int = 0
    stray_calls: int = 0
    refused_calls: int = 0
    budget_exceeded: list[str] = field(default_factory=list)
    closed: bool = False

    def now_s(self) -> float:
        """Seconds since the lease was opened."""
        return self.clock() - self.opened_at

    def remaining_s(self) -> float:
        return self.request.deadline_s - self.now_s()

    def next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence

    def admit(self, *, is_model_call: bool) -> Refusal | None:
        """Count a call in, or say why it is turned away."""
        refusal = self._refusal(is_model_call=is_model_call)
        if refusal is not None:
            self.refused_calls += 1
        elif is_model_call:
            self.model_calls += 1
        return refusal

    def note(self, call: Call) -> None:
        self.calls.append(call)
        self.completion_tokens += call.completion_tokens or 0

    def exceed(self, limit: str) -> None:
        if limit not in self.budget_exceeded:
            self.budget_exceeded.append(limit)

    def report(self) -> LeaseReport:
        return LeaseReport(
            run_id=self.request.run_id,
            kind=self.request.kind,
            seconds=self.now_s(),
            calls=sorted(self.calls, key=lambda call: call.sequence),
            stray_calls=self.stray_calls,
            refused_calls=self.refused_calls,
            budget_exceeded=self.budget_exceeded,
        )

    def _refusal(self, *, is_model_call: bool) -> Refusal | None:
        if self.remaining_s() <= 0:
            self.exceed("deadline")
            return EXPIRED
        if not is_model_call:
            return None
        most_calls, most_tokens = self.request.max_model_calls, self.request.max_completion_tokens
        if most_calls is not None and self.model_calls >= most_calls:
            self.exceed("model_calls")
            return MODEL_CALLS
        if most_tokens is not None and self.completion_tokens >= most_tokens:
            self.exceed("completion_tokens")
            return COMPLETION_TOKENS
        return None


class LeaseBook:
    """The leases that are open now: one run, or any number of judges."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[str, OpenLease] = {}
        self.stray_calls_total = 0

    def open(self, request: LeaseRequest, open_journal: Callable[[], Journal]) -> OpenLease:
        holder = next((lease for lease in self._open.values() if self._excludes(lease, request)), None)
        if holder is not None:
            raise LeaseRefused(
                f"{request.run_id!r} cannot have the node: {holder.request.kind} "
                f"{holder.request.run_id!r} holds it. Close that lease first."
            )
        lease = OpenLease(request, secrets.token_urlsafe(24), self._clock(), self._clock, open_journal())
        self._open[lease.token] = lease
        return lease

    def find(self, token: str) -> OpenLease | Refusal:
        """The lease of a call, or why there is none. A call that has none disturbs the run under way."""
        lease = self._open.get(token)
        if lease is not None and not lease.closed:
            return lease
        self.stray_calls_total += 1
        for other in self._open.values():
            if not other.closed:
                other.stray_calls += 1
        return UNKNOWN_RUN

    def get(self, token: str) -> OpenLease | None:
        return self._open.get(token)

    def forget(self, lease: OpenLease) -> None:
        self._open.pop(lease.token, None)

    def status(self) -> GatewayStatus:
        leases = list(self._open.values())
        judges = sum(lease.request.kind == "judge" for lease in leases)
        run = next((lease for lease in leases if lease.request.kind == "run"), None)
        if run is None:
            return GatewayStatus(judge_leases=judges, stray_calls_total=self.stray_calls_total)
        return GatewayStatus(
            run_id=run.request.run_id,
            seconds=run.now_s(),
            calls=len(run.calls),
            in_flight=len(run.in_flight),
            prompt_tokens=sum(call.prompt_tokens or 0 for call in run.calls),
            completion_tokens=run.completion_tokens,
            judge_leases=judges,
            stray_calls_total=self.stray_calls_total,
        )

    @staticmethod
    def _excludes(holder: OpenLease, request: LeaseRequest) -> bool:
        return "run" in (holder.request.kind, request.kind)
