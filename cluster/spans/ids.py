"""Which span is which. Every id follows from the run's trace id, so a trace made again is the same trace."""

from __future__ import annotations

import hashlib
import re

from opentelemetry.trace import SpanContext, TraceFlags

from shared.calls import Call
from shared.records import RunRecord
from shared.trace import TraceContext, root_of

SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")


def run_context(record: RunRecord) -> SpanContext:
    """What the driver handed out, so what the gateway and the framework know as their parent."""
    return _context(root_of(_trace_id(record)))


def boot_context(record: RunRecord) -> SpanContext:
    """In a trace of its own."""
    return _context(root_of(_digest(record, "boot")[:32]))


def step_context(record: RunRecord, number: int) -> SpanContext:
    return _within(record, _digest(record, f"step {number}")[:16])


def call_context(record: RunRecord, call: Call) -> SpanContext:
    """The id that the gateway gave the call and sent on to the model server, where it did."""
    given = call.span_id if call.span_id and SPAN_ID.fullmatch(call.span_id) else None
    return _within(record, given or _digest(record, f"call {call.sequence}")[:16])


def _trace_id(record: RunRecord) -> str:
    """A record from before there were traces has one by what tells it from every other attempt."""
    return record.trace_id or hashlib.sha256(record.attempt_id.encode()).hexdigest()[:32]


def _digest(record: RunRecord, what: str) -> str:
    return hashlib.sha256(f"{_trace_id(record)} {what}".encode()).hexdigest()


def _within(record: RunRecord, span_id: str) -> SpanContext:
    return _context(TraceContext(_trace_id(record), span_id))


def _context(context: TraceContext) -> SpanContext:
    ids = int(context.trace_id, 16), int(context.span_id, 16)
    return SpanContext(*ids, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
