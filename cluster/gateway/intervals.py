"""How long calls of one kind were at the gateway, overlaps counted once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from shared.calls import Call


def union_seconds(calls: Iterable[Call], kind: Literal["model", "tool"]) -> float:
    """Seconds in which at least one call of `kind` was at the gateway."""
    spans = sorted((call.arrived_s, call.last_byte_s) for call in calls if call.kind == kind)
    total = 0.0
    covered_until = float("-inf")
    for start, end in spans:
        if end > covered_until:
            total += end - max(start, covered_until)
            covered_until = end
    return total
