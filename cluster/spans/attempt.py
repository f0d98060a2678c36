"""The spans of one attempt: run > agent > call.

    levelfield.run                  the adapter's call, until it returned; links to levelfield.boot
        invoke_agent researcher     a step, with the framework's own work in it
            chat MODEL              a model call, from its arrival at the gateway to its delivery
            execute_tool search
        chat MODEL                  a call that carries no agent's instructions: the framework's own

    levelfield.boot                 the start of the process and the import, before the run

The boot is a trace of its own: as a second root of the run's trace it would make viewers give the latency
too long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

from cluster.spans import attributes as described
from cluster.spans import content as told
from cluster.spans.ids import boot_context, call_context, run_context, step_context
from cluster.spans.scene import Scene
from cluster.spans.steps import Interval, Step, agent_steps, call_interval, run_interval
from shared.calls import Call
from shared.records import RunRecord

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def spans_of(record: RunRecord, calls: Sequence[Call], scene: Scene) -> list[ReadableSpan]:
    """The run first, and every span after its parent."""
    return list(_Attempt(record, tuple(calls), scene).spans())


@dataclass(frozen=True)
class _Attempt:
    record: RunRecord
    calls: tuple[Call, ...]
    scene: Scene

    def spans(self) -> Iterator[ReadableSpan]:
        run = run_interval(self.record, self.calls)
        root = run_context(self.record)
        yield self._run(run)
        for number, step in enumerate(agent_steps(self.calls, run), start=1):
            parent = step_context(self.record, number)
            yield self._step(step, parent, root)
            yield from (self._call(call, parent) for call in step.calls)
        yield from (self._call(call, root) for call in self.calls if not call.agent)
        if self.record.boot:
            yield self._boot(self.record.boot.process_s, self.record.boot.import_s)

    def _run(self, interval: Interval) -> ReadableSpan:
        record = self.record
        failed = described.run_error(record)
        said = (record.error or "").partition("\n")[0] if self.scene.content else None
        return self._span(
            "levelfield.run",
            run_context(record),
            interval,
            described.run(record, self.scene) | (told.run(record) if self.scene.content else {}),
            status=Status(StatusCode.ERROR, said or failed) if failed else Status(StatusCode.OK),
            links=[Link(boot_context(record))] if record.boot else [],
        )

    def _boot(self, process_s: float, import_s: float) -> ReadableSpan:
        """Its length is measured; that it ended when the lease was opened is nearly so."""
        return self._span(
            "levelfield.boot",
            boot_context(self.record),
            Interval(-process_s - import_s, 0.0),
            {"levelfield.process_s": process_s, "levelfield.import_s": import_s},
            events=[Event("levelfield.import", timestamp=self._ns(-import_s))],
        )

    def _step(self, step: Step, context: SpanContext, parent: SpanContext) -> ReadableSpan:
        found = described.step(step, self.record, self.scene)
        if self.scene.content:
            found |= told.step(step, self.record)
        name = f"invoke_agent {found['gen_ai.agent.name']}"
        return self._span(name, context, step.interval, found, parent=parent)

    def _call(self, call: Call, parent: SpanContext) -> ReadableSpan:
        found = described.call(call, self.scene) | (told.call(call) if self.scene.content else {})
        failed = described.call_error(call)
        said = call.error if self.scene.content else None
        return self._span(
            described.call_name(found),
            call_context(self.record, call),
            call_interval(call),
            found,
            parent=parent,
            kind=SpanKind.INTERNAL if call.kind == "tool" else SpanKind.CLIENT,
            status=Status(StatusCode.ERROR, said or failed) if failed else None,
            events=list(self._events(call)),
            links=list(self._links(call)),
        )

    def _events(self, call: Call) -> Iterator[Event]:
        if call.retry_of is not None:
            yield Event("levelfield.retry", {"levelfield.retry_of": call.retry_of}, self._ns(call.arrived_s))
        if described.is_refused(call):
            answered = self._ns(call_interval(call).end_s)
            yield Event("levelfield.refused", {"http.response.status_code": call.status}, answered)

    def _links(self, call: Call) -> Iterator[Link]:
        """From a retry to the call that it repeats."""
        for earlier in self.calls:
            if earlier.sequence == call.retry_of:
                yield Link(call_context(self.record, earlier))

    def _span(
        self,
        name: str,
        context: SpanContext,
        interval: Interval,
        attributes: described.Attributes,
        *,
        parent: SpanContext | None = None,
        status: Status | None = None,
        **parts: Any,
    ) -> ReadableSpan:
        return ReadableSpan(
            name,
            context=context,
            parent=parent,
            resource=self.scene.resource,
            attributes=attributes | described.whose(self.record),
            status=status or Status(StatusCode.UNSET),
            start_time=self._ns(interval.start_s),
            end_time=self._ns(interval.end_s),
            instrumentation_scope=self.scene.scope,
            **parts,
        )

    def _ns(self, seconds: float) -> int:
        return self._opened_ns + round(seconds * 1e9)

    @cached_property
    def _opened_ns(self) -> int:
        """Since 1970: the clock of the calls began when the run's lease was opened, which is `started_at`."""
        opened = datetime.fromisoformat(self.record.started_at)
        opened = opened if opened.tzinfo else opened.replace(tzinfo=UTC)
        return (opened - EPOCH) // timedelta(microseconds=1) * 1000
