"""A run's wall time, taken apart: every instant belongs to exactly one stage, so the stages add up to it.

Where calls overlap, an instant belongs to the stage that is furthest on, in the order of `STAGES`: while one
call decodes, another that waits costs nothing. Worked out in whole nanoseconds, so that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.calls import Call
from shared.strict import Strict

HELD = "held"
"""The service is asked too often, and the gateway waits. It is in no part and in no latency: the service's
limit says nothing of a framework."""
STAGES = ("decode", "prefill", "model", "tool", "queue", "gateway", HELD)
"""What a call can be at; what no call is at is the framework's."""

NS = 1_000_000_000

SHORTEST_DECODING_S = 0.05
"""Below this the clock's and the network's part of a rate is too large."""
FEWEST_TOKENS = 8
"""Of fewer tokens the first one, which is part of the prefill, weighs too much in a rate."""


class LatencyParts(Strict):
    """Seconds of a run, an agent's step or a call, by what they went into. They add up to `total_s`."""

    queue_s: float = 0.0
    """At the server, before it began."""
    prefill_s: float = 0.0
    """Reading the prompt, until the first token."""
    decode_s: float = 0.0
    """From the first token to the last."""
    model_s: float = 0.0
    """At the model, where neither the stream nor the server tells prefill from decode."""
    tool_s: float = 0.0
    gateway_s: float = 0.0
    """Ours: reading and journalling calls."""
    framework_s: float = 0.0
    """The rest: the framework, its client, and the way to the gateway."""

    @property
    def total_s(self) -> float:
        return float(sum(self.model_dump().values()))

    @property
    def at_model_s(self) -> float:
        """All of a model call but our own part of it."""
        return self.queue_s + self.prefill_s + self.decode_s + self.model_s


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a call's time, in nanoseconds of the lease's clock."""

    stage: str
    start: int
    end: int
    call: Call


def take_apart(calls: Iterable[Call], started_s: float, ended_s: float) -> LatencyParts:
    """The whole run, from the adapter's call to its return, but for `held_s`. Times as in `Call`."""
    return _sum(stage_ns for _, stage_ns in _segments(list(calls), _ns(started_s), _ns(ended_s)))


def take_apart_by_agent(calls: Iterable[Call], started_s: float, ended_s: float) -> dict[str, LatencyParts]:
    """The same by agent, in order of their first call; a step lasts until the agent's last call has ended.

    Time in which no call is under way belongs to whoever calls next, after the last call to the last agent.
    Calls of no agent are under "".
    """
    by_agent: dict[str, list[tuple[str, int]]] = {}
    for agent, stage_ns in _segments(list(calls), _ns(started_s), _ns(ended_s)):
        by_agent.setdefault(agent, []).append(stage_ns)
    return {agent: _sum(found) for agent, found in by_agent.items()}


def held_s(calls: Iterable[Call], started_s: float, ended_s: float) -> float:
    """Seconds of a run in which its calls only waited for a service's rate limit."""
    segments = _segments(list(calls), _ns(started_s), _ns(ended_s))
    return sum(nanoseconds for _, (stage, nanoseconds) in segments if stage == HELD) / NS


def take_call_apart(call: Call) -> LatencyParts:
    """One call, from its arrival to its delivery, but for its waiting for a rate limit."""
    return _sum((stretch.stage, stretch.end - stretch.start) for stretch in stretches(call))


def decode_rate(call: Call) -> float | None:
    """Tokens per second of one call's decoding; None where it is not told apart, or too short to say."""
    decoding_s = take_call_apart(call).decode_s
    tokens = call.completion_tokens or 0
    return tokens / decoding_s if decoding_s >= SHORTEST_DECODING_S and tokens >= FEWEST_TOKENS else None


def stretches(call: Call) -> list[Stretch]:
    """A call's stages in order, without gaps or overlaps, from its arrival to its delivery."""
    arrived, last = _ns(call.arrived_s), _ns(call.last_byte_s)
    delivered = max(last, _ns(call.delivered_s if call.delivered_s is not None else call.last_byte_s))
    forwarded = _ns(call.forwarded_s) if call.forwarded_s is not None else last
    sent = forwarded - _ns(call.rate_limited_s)
    if call.kind == "tool":
        waits = [("tool", sent), (HELD, forwarded)] if call.rate_limited_s else []
        return _chained(call, arrived, [*waits, ("tool", last), ("gateway", delivered)])
    first_token = None if call.first_token_s is None else _ns(call.first_token_s)
    said = call.server
    if said is not None and said.decode_s is not None and said.prefill_s is not None and first_token is None:
        first_token = last - _ns(said.decode_s)
    if first_token is None:
        ends = [("gateway", sent), (HELD, forwarded), ("model", last), ("gateway", delivered)]
    else:
        waited = forwarded
        if said is not None and said.prefill_s is not None:
            waited = max(forwarded, first_token - _ns(said.prefill_s))
        elif said is not None and said.queue_s is not None:
            waited = min(first_token, forwarded + _ns(said.queue_s))
        ends = [
            ("gateway", sent),
            (HELD, forwarded),
            ("queue", waited),
            ("prefill", first_token),
            ("decode", last),
            ("gateway", delivered),
        ]
    return _chained(call, arrived, ends)


def _chained(call: Call, start: int, ends: Sequence[tuple[str, int]]) -> list[Stretch]:
    """Stages one after the other; where clocks differ, an end before the one before it is moved to it."""
    final = ends[-1][1]
    found: list[Stretch] = []
    for stage, end in ends:
        until = min(max(start, end), max(start, final))
        if until > start:
            found.append(Stretch(stage, start, until, call))
        start = until
    return found


def _segments(calls: list[Call], started: int, ended: int) -> Iterator[tuple[str, tuple[str, int]]]:
    """(agent, (stage, nanoseconds)) for every elementary piece of [started, ended]."""
    clipped = [
        Stretch(s.stage, max(s.start, started), min(s.end, ended), s.call)
        for call in calls
        for s in stretches(call)
        if s.end > started and s.start < ended
    ]
    cuts = sorted({started, ended, *(s.start for s in clipped), *(s.end for s in clipped)})
    rank = {stage: place for place, stage in enumerate(STAGES)}
    clipped.sort(key=lambda s: s.start)
    arrivals = sorted((_ns(call.arrived_s), call.agent or "") for call in calls)
    active: list[Stretch] = []
    upcoming = 0
    for start, end in pairwise(cuts):
        while upcoming < len(clipped) and clipped[upcoming].start <= start:
            active.append(clipped[upcoming])
            upcoming += 1
        active = [s for s in active if s.end > start]
        if active:
            furthest = min(active, key=lambda s: rank[s.stage])
            yield furthest.call.agent or "", (furthest.stage, end - start)
        else:
            yield _next_agent(arrivals, end), ("framework", end - start)


def _next_agent(arrivals: list[tuple[int, str]], at: int) -> str:
    for arrived, agent in arrivals:
        if arrived >= at:
            return agent
    return arrivals[-1][1] if arrivals else ""


def _sum(pieces: Iterable[tuple[str, int]]) -> LatencyParts:
    totals: dict[str, int] = {}
    for stage, nanoseconds in pieces:
        if stage == HELD:
            continue
        totals[f"{stage}_s"] = totals.get(f"{stage}_s", 0) + nanoseconds
    return LatencyParts(**{name: nanoseconds / NS for name, nanoseconds in totals.items()})


def _ns(seconds: float) -> int:
    return round(seconds * NS)
