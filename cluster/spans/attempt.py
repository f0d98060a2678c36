"""The spans of one attempt: run > agent > call.

    levelfield.run                  the adapter's call, until it returned; links to levelfield.boot
        invoke_agent researcher     a step, with the framework's own work in it
            chat MODEL              a model call, from its arrival at the gateway to its delivery
            execute_tool search
        chat MODEL                  a call that carries no agent's instructions: the framework's own

    levelfield.boot                 the start of the process and the import, before the run

The boot is a trace of its own: as a second root of the run's it would make viewers give the run's latency
too long. Every id follows from the run's trace id, so that a trace that is made again is the same trace.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from cluster.spans import attributes as named
from cluster.spans.content import call_content, run_content, step_content
from cluster.spans.scene import Scene
from cluster.spans.steps import Interval, Step, agent_steps, call_interval, run_interval
from shared.calls import Call
from shared.records import RunRecord
from shared.trace import TraceContext, root_of

SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def spans_of(record: RunRecord, calls: Sequence[Call], scene: Scene) -> list[ReadableSpan]:
    """The run first, and every span after its parent."""
    return _Trace(record, tuple(calls), scene).spans()


def trace_id_of(record: RunRecord) -> str:
    """The record's own; for one that has none, a digest of what tells it from every other attempt."""
    return record.trace_id or hashlib.sha256(record.attempt_id.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class _Trace:
    record: RunRecord
    calls: tuple[Call, ...]
    scene: Scene

    def spans(self) -> list[ReadableSpan]:
        run = run_interval(self.record, self.calls)
        root = self._root(run)
        spans = [root]
        for number, step in enumerate(agent_steps(self.calls, run), start=1):
            agent = self._step(number, step, root)
            spans += [agent, *(self._call(call, agent) for call in step.calls)]
        spans += [self._call(call, root) for call in self.calls if not call.agent]
        return [*spans, *self._boot()]

    def _root(self, run: Interval) -> ReadableSpan:
        record = self.record
        links = [Link(self._boot_context)] if record.boot else []
        failed = named.error_type(record)
        said = (record.error or "").partition("\n")[0] if self.scene.content else failed
        status = Status(StatusCode.ERROR, said or failed) if failed else Status(StatusCode.OK)
        found = named.run_attributes(record, self.scene)
        if self.scene.content:
            found |= run_content(record)
        context = self._context(root_of(trace_id_of(record)).span_id)
        return self._span("levelfield.run", context, run, found, status=status, links=links)

    @property
    def _boot_context(self) -> SpanContext:
        return _context(root_of(_derived(trace_id_of(self.record), "boot", 32)))

    def _boot(self) -> list[ReadableSpan]:
        """Its length is measured; that it ended when the lease was opened is nearly so."""
        boot = self.record.boot
        if boot is None:
            return []
        interval = Interval(-boot.process_s - boot.import_s, 0.0)
        importing = Event("levelfield.import", timestamp=self._ns(-boot.import_s))
        found: named.Attributes = {
            "levelfield.process_s": boot.process_s,
            "levelfield.import_s": boot.import_s,
            **named.whose(self.record),
        }
        return [self._span("levelfield.boot", self._boot_context, interval, found, events=[importing])]

    def _step(self, number: int, step: Step, root: ReadableSpan) -> ReadableSpan:
        found = named.step_attributes(step, self.record, self.scene) | named.whose(self.record)
        if self.scene.content:
            found |= step_content(step, self.record)
        name = f"invoke_agent {found['gen_ai.agent.name']}"
        context = self._context(self._derived(f"step {number}"))
        return self._span(name, context, step.interval, found, parent=root)

    def _call(self, call: Call, parent: ReadableSpan) -> ReadableSpan:
        found = named.call_attributes(call, self.scene) | named.whose(self.record)
        if self.scene.content:
            found |= call_content(call)
        operation = found["gen_ai.operation.name"]
        target = found.get("gen_ai.tool.name" if call.kind == "tool" else "gen_ai.request.model")
        failed = named.call_error(call)
        return self._span(
            f"{operation} {target}" if target else str(operation),
            self._context_of(call),
            call_interval(call),
            found,
            parent=parent,
            kind=SpanKind.INTERNAL if call.kind == "tool" else SpanKind.CLIENT,
            status=Status(StatusCode.ERROR, call.error if self.scene.content else failed) if failed else None,
            events=self._events(call),
            links=self._links(call),
        )

    def _events(self, call: Call) -> list[Event]:
        found: list[Event] = []
        if call.retry_of is not None:
            repeats = {"levelfield.retry_of": call.retry_of}
            found.append(Event("levelfield.retry", repeats, self._ns(call.arrived_s)))
        if named.is_refused(call):
            refused = {"http.response.status_code": call.status}
            found.append(Event("levelfield.refused", refused, self._ns(call_interval(call).end_s)))
        return found

    def _links(self, call: Call) -> list[Link]:
        """From a retry to the call that it repeats."""
        repeated = [earlier for earlier in self.calls if earlier.sequence == call.retry_of]
        return [Link(self._context_of(earlier)) for earlier in repeated]

    def _span(
        self,
        name: str,
        context: SpanContext,
        interval: Interval,
        found: named.Attributes,
        *,
        parent: ReadableSpan | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        status: Status | None = None,
        events: Sequence[Event] = (),
        links: Sequence[Link] = (),
    ) -> ReadableSpan:
        return ReadableSpan(
            name,
            context=context,
            parent=parent.context if parent else None,
            resource=self.scene.resource,
            attributes=found,
            events=events,
            links=links,
            kind=kind,
            status=status or Status(StatusCode.UNSET),
            start_time=self._ns(interval.start_s),
            end_time=self._ns(interval.end_s),
            instrumentation_scope=self.scene.scope,
        )

    def _context_of(self, call: Call) -> SpanContext:
        given = call.span_id and SPAN_ID.fullmatch(call.span_id)
        return self._context(given.group() if given else self._derived(f"call {call.sequence}"))

    def _context(self, span_id: str) -> SpanContext:
        return _context(TraceContext(trace_id_of(self.record), span_id))

    def _derived(self, what: str) -> str:
        return _derived(trace_id_of(self.record), what)

    def _ns(self, seconds: float) -> int:
        """Since 1970; the clock of the calls began when the run's lease was opened, which is `started_at`."""
        began = datetime.fromisoformat(self.record.started_at)
        began = began if began.tzinfo else began.replace(tzinfo=UTC)
        return (began - EPOCH) // timedelta(microseconds=1) * 1000 + round(seconds * 1e9)


def _context(context: TraceContext) -> SpanContext:
    ids = int(context.trace_id, 16), int(context.span_id, 16)
    return SpanContext(*ids, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _derived(trace_id: str, what: str, digits: int = 16) -> str:
    return hashlib.sha256(f"{trace_id} {what}".encode()).hexdigest()[:digits]
