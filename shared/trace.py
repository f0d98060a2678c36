"""Where a span stands in its trace, as W3C Trace Context (level 1) has it: standard library only.

It crosses into the frameworks' environments, as `RunRequest.traceparent` and the variable TRACEPARENT.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

VARIABLE = "TRACEPARENT"
"""OpenTelemetry's convention for handing a context to a process."""
HEADER = "traceparent"

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A span and the trace that it is in."""

    trace_id: str
    """32 lower-case hex digits, not all zero."""
    span_id: str
    """16 of them."""

    @property
    def traceparent(self) -> str:
        """Version 00, sampled."""
        return f"00-{self.trace_id}-{self.span_id}-01"


def new_trace() -> TraceContext:
    """The root of a new trace."""
    return root_of(secrets.token_hex(16))


def root_of(trace_id: str) -> TraceContext:
    """Of each trace made here: the root's id is the second half of the trace's, as in Zipkin and Jaeger.

    So a record that keeps the trace's id alone is enough to find the root again.
    """
    return TraceContext(trace_id, trace_id[16:])


def child_id() -> str:
    """A span id for something new in a trace."""
    return secrets.token_hex(8)


def from_traceparent(text: str | None) -> TraceContext | None:
    """None for anything but a whole traceparent of version 00."""
    found = _TRACEPARENT.fullmatch(text or "")
    return TraceContext(*found.groups()) if found else None
