"""A run's calls as Inspect's events, with a span around each agent's turn."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from cluster.export.inspect_messages import (
    Json,
    model_output,
    request_messages,
    request_tools,
    sampling,
)
from shared.calls import Call
from shared.records import RunRecord

ATTACHED_CHARS = 100
"""Inspect's own bound: a longer text of an event is kept once per sample, under `attachments`."""
ATTACHMENT = "attachment://"


class Clock:
    """A run's clock begins when its lease is opened, which is the record's `started_at`."""

    def __init__(self, record: RunRecord) -> None:
        opened = datetime.fromisoformat(record.started_at)
        self._opened = (opened if opened.tzinfo else opened.replace(tzinfo=UTC)).astimezone(UTC)
        self.started_s = record.started_s or 0.0

    def at(self, seconds: float) -> str:
        return (self._opened + timedelta(seconds=seconds)).isoformat()

    def working(self, seconds: float) -> float:
        """Since the framework was handed the request."""
        return max(0.0, seconds - self.started_s)


def events_of(record: RunRecord, calls: Sequence[Call], model: str) -> tuple[list[Json], dict[str, str]]:
    """Events in the order of arrival, and the long texts that they name by digest."""
    clock = Clock(record)
    attachments: dict[str, str] = {}
    events = []
    for event in _events(calls, clock, model):
        attached = _attached(event, attachments)
        if "output" in event:  # the one text that Inspect does not look up
            attached["output"]["completion"] = event["output"]["completion"]
        events.append(attached)
    return events, attachments


def conversation(calls: Sequence[Call], model: str) -> list[Json]:
    """All that was said, in order: of each request what is new in it, and its answer."""
    said: list[Json] = []
    for call in calls:
        if call.kind != "model" or call.failed:
            continue
        asked = request_messages(call.request)
        carried = [_said(message) for message in asked[: len(said)]] == [_said(message) for message in said]
        said += asked[len(said) :] if carried else asked
        said += [choice["message"] for choice in model_output(call, model, 0.0)["choices"]]
    return said


def _said(message: Json) -> tuple[Any, ...]:
    """What makes a message the same although one came as an answer and the other in a request."""
    calls = [(call["function"], call["arguments"]) for call in message.get("tool_calls", ())]
    return message["role"], message["content"], calls


def _events(calls: Sequence[Call], clock: Clock, model: str) -> Iterator[Json]:
    for number, (agent, turn) in enumerate(groupby(calls, key=lambda call: call.agent), start=1):
        taken = list(turn)
        if agent is None:
            yield from (_event(call, clock, model, {}) for call in taken)
            continue
        span = {"span_id": f"{number}-{agent}"}
        begin, end = taken[0].arrived_s, max(_end_s(call) for call in taken)
        about = {"event": "span_begin", "id": span["span_id"], "type": "agent", "name": agent}
        yield {**about, **span, **_when(clock, begin)}
        yield from (_event(call, clock, model, span) for call in taken)
        yield {"event": "span_end", "id": span["span_id"], **span, **_when(clock, end)}


def _event(call: Call, clock: Clock, model: str, span: Json) -> Json:
    took_s = _end_s(call) - call.arrived_s
    event = {
        "uuid": f"call-{call.sequence}",
        **span,
        **_when(clock, call.arrived_s),
        "completed": clock.at(_end_s(call)),
        "working_time": took_s,
        # Everything of the journal that has no place of its own in Inspect.
        "metadata": {
            "levelfield": call.model_dump(mode="json", exclude={"request", "response"}, exclude_none=True)
        },
    }
    return event | (_tool(call) if call.kind == "tool" else _model(call, model, took_s))


def _model(call: Call, model: str, took_s: float) -> Json:
    asked = call.request if isinstance(call.request, dict) else {"text": call.request}
    named = asked.get("model")
    event: Json = {
        "event": "model",
        "model": named if isinstance(named, str) else model,
        "input": request_messages(call.request),
        "tools": request_tools(call.request),
        "tool_choice": _tool_choice(asked.get("tool_choice")),
        "config": sampling(call.request),
        "output": model_output(call, model, took_s),
        "call": {"request": asked, **_answer(call.response), "error": call.failed, "time": took_s},
    }
    return event | ({"error": call.error or f"HTTP {call.status}"} if call.failed else {})


def _answer(response: Any) -> Json:
    """A stream is the list of its events; an empty answer is left out, as Inspect does."""
    if not response:
        return {}
    kind = "events" if isinstance(response, list) else "text"
    return {"response": response if isinstance(response, dict) else {kind: response}}


def _tool_choice(choice: Any) -> Any:
    if isinstance(choice, dict):
        inner = choice.get("function")
        name = inner.get("name") if isinstance(inner, dict) else choice.get("name")
        return {"name": name} if isinstance(name, str) else "auto"
    return {"required": "any", "none": "none"}.get(choice, "auto") if isinstance(choice, str) else "auto"


def _tool(call: Call) -> Json:
    event: Json = {
        "event": "tool",
        "type": "function",
        "id": f"call-{call.sequence}",
        "function": call.path.rpartition("/")[2],
        "arguments": call.request if isinstance(call.request, dict) else {"value": call.request},
        "result": call.response
        if isinstance(call.response, str)
        else json.dumps(call.response, ensure_ascii=False),
        "events": [],
    }
    if call.failed:
        event |= {
            "failed": True,
            "error": {"type": "unknown", "message": call.error or f"HTTP {call.status}"},
        }
    return event


def _when(clock: Clock, seconds: float) -> Json:
    return {"timestamp": clock.at(seconds), "working_start": clock.working(seconds)}


def _end_s(call: Call) -> float:
    return call.delivered_s if call.delivered_s is not None else call.last_byte_s


def _attached(value: Any, attachments: dict[str, str]) -> Any:
    if isinstance(value, str):
        if len(value) <= ATTACHED_CHARS:
            return value
        digest = hashlib.sha256(value.encode()).hexdigest()[:32]
        attachments[digest] = value
        return f"{ATTACHMENT}{digest}"
    if isinstance(value, list):
        return [_attached(part, attachments) for part in value]
    if isinstance(value, dict):
        return {name: _attached(part, attachments) for name, part in value.items()}
    return value
