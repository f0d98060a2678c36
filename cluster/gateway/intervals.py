"""How long calls of one kind were at the gateway, overlaps counted once, waits for a rate limit left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from shared.calls import Call


def union_seconds(calls: Iterable[Call], kind: Literal["model", "tool"]) -> float:
    """Seconds in which at least one call of `kind` was at the gateway and not only waiting to be let in."""
    spans = sorted(span for call in calls if call.kind == kind for span in _spans(call))
    total = 0.0
    covered_until = float("-inf")
    for start, end in spans:
        if end > covered_until:
            total += end - max(start, covered_until)
            covered_until = end
    return total


def _spans(call: Call) -> Iterator[tuple[float, float]]:
    if call.rate_limited_s and call.forwarded_s is not None:
        yield call.arrived_s, call.forwarded_s - call.rate_limited_s
        yield call.forwarded_s, call.last_byte_s
    else:
        yield call.arrived_s, call.last_byte_s
