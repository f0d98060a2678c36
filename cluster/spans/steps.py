"""When a run, its agents' steps and its calls began and ended, on the clock of the calls: pure code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from shared.calls import Call
from shared.records import RunRecord


@dataclass(frozen=True, slots=True)
class Interval:
    """Seconds since the lease was opened."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Step:
    """An agent at work: its calls in order, with no other agent's in between."""

    agent: str
    calls: tuple[Call, ...]
    interval: Interval


def call_interval(call: Call) -> Interval:
    """From its arrival at the gateway to its delivery."""
    ends = (call.arrived_s, call.last_byte_s, call.delivered_s or 0.0)
    return Interval(call.arrived_s, max(ends))


def run_interval(record: RunRecord, calls: Sequence[Call]) -> Interval:
    """From the adapter's call to its return, and as far as its calls reach where they reach further.

    A client that gives up is noticed by the gateway a moment later. Of a run without a latency, which was
    stopped or died, the end is when the node gave it up, or else its last call's end.
    """
    intervals = [call_interval(call) for call in calls]
    start_s = record.started_s or 0.0
    took_s = None if record.latency_s is None else record.latency_s + record.rate_limited_s
    end_s = start_s + took_s if took_s is not None else record.ended_s or start_s
    return Interval(
        min([start_s, *(interval.start_s for interval in intervals)]),
        max([start_s, end_s, *(interval.end_s for interval in intervals)]),
    )


def agent_steps(calls: Sequence[Call], run: Interval) -> list[Step]:
    """As `LatencyParts` by agent has it: the time between two calls belongs to the agent that calls next.

    That after the last call belongs to the last agent. The framework's own calls belong to no step.
    """
    ordered = sorted((call for call in calls if call.agent), key=lambda call: (call.arrived_s, call.sequence))
    groups = [(agent or "", tuple(group)) for agent, group in groupby(ordered, lambda call: call.agent)]
    steps: list[Step] = []
    free_s = run.start_s
    for agent, group in groups:
        intervals = [call_interval(call) for call in group]
        start_s = min(free_s, intervals[0].start_s)
        free_s = max(interval.end_s for interval in intervals)
        is_last = len(steps) == len(groups) - 1
        steps.append(Step(agent, group, Interval(start_s, run.end_s if is_last else free_s)))
    return steps
