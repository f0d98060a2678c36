"""What an answer of the model server says of itself: pure parsing of bytes that nobody vouches for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from cluster.gateway.parsing import objects, parse_json
from shared.calls import ServerTimings

SAID_OF_FAILURE = 500
"""Characters of a server's own message that are kept as a call's error."""


@dataclass(slots=True)
class Reading:
    """What was found in an answer; None where it did not say."""

    body: Any = None
    """Parsed JSON, or text; of a stream the list of its events, each parsed or as text."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    finish_reason: str | None = None
    server: ServerTimings | None = None
    first_token: int | None = None
    """Of a stream, the place of the first event that carries text or a tool call, from 0."""
    error: str | None = None
    """Why this is not the answer that was asked for; None when it is."""


def read_body(content: bytes, status: int) -> Reading:
    """A whole answer."""
    try:
        body = parse_json(content)
    except ValueError:
        text = content.decode("utf-8", "replace")
        return Reading(body=text, error=f"the answer is not JSON: {text[:200]!r}")
    if status >= 400:
        return Reading(body=body, error=_message(body))
    if not isinstance(body, dict):
        return Reading(body=body, error="the answer is not a JSON object")
    found = _Found()
    found.look_at(body)
    return found.reading(body)


def read_events(events: list[bytes], *, complete: bool) -> Reading:
    """A stream, given each event's data; `complete`: it came to its end and did not break off."""
    parsed = [_parsed_or_text(event) for event in events]
    found = _Found()
    first_token, objects = None, 0
    for place, event in enumerate(parsed):
        if isinstance(event, dict):
            objects += 1
            found.look_at(event)
            if first_token is None and _carries_token(event):
                first_token = place
    reading = found.reading(parsed)
    reading.first_token = first_token
    if objects < len(parsed):
        reading.error = "an event of the stream is not a JSON object"
    elif not complete:
        reading.error = reading.error or "the stream broke off before its end"
    elif not objects:
        reading.error = "the stream held no answer"
    return reading


@dataclass(slots=True)
class _Found:
    """What the objects of an answer said so far; later ones come over earlier ones."""

    usage: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, Any] = field(default_factory=dict)
    finish_reason: str | None = None
    error: str | None = None

    def look_at(self, part: dict[str, Any]) -> None:
        self._look_at_holder(part)
        inner = part.get("response")
        if isinstance(inner, dict):  # the Responses API wraps the finished answer in an event of its own
            self._look_at_holder(inner)
        if part.get("type") == "error":  # the Responses API's event for a stream that failed
            self.error = _message(part)
        for choice in objects(part.get("choices")):
            if isinstance(choice.get("finish_reason"), str):
                self.finish_reason = choice["finish_reason"]

    def reading(self, body: Any) -> Reading:
        usage = self.usage
        details = usage.get("prompt_tokens_details", usage.get("input_tokens_details"))
        return Reading(
            body=body,
            prompt_tokens=_count(usage.get("prompt_tokens", usage.get("input_tokens"))),
            completion_tokens=_count(usage.get("completion_tokens", usage.get("output_tokens"))),
            cached_tokens=_count(details.get("cached_tokens")) if isinstance(details, dict) else None,
            finish_reason=self.finish_reason,
            server=_server_timings(self.timings),
            error=self.error,
        )

    def _look_at_holder(self, holder: dict[str, Any]) -> None:
        if isinstance(holder.get("usage"), dict):
            self.usage = holder["usage"]
        if isinstance(holder.get("timings"), dict):
            self.timings = holder["timings"]
        if holder.get("error"):
            self.error = _message(holder)
        if holder.get("object") == "response":
            self.finish_reason = _finish_of_response(holder) or self.finish_reason


def _finish_of_response(response: dict[str, Any]) -> str | None:
    """In the words of the chat API."""
    if response.get("status") == "completed":
        return "stop"
    details = response.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    if not isinstance(reason, str):
        return None
    return "length" if reason == "max_output_tokens" else reason


def _carries_token(event: dict[str, Any]) -> bool:
    kind = event.get("type")
    if isinstance(kind, str):
        added = event.get("item")
        called = isinstance(added, dict) and added.get("type") == "function_call"
        return called or (kind.endswith(".delta") and bool(event.get("delta")))
    return any(_has_token(choice.get("delta")) for choice in objects(event.get("choices")))


def _has_token(delta: Any) -> bool:
    """Any text of the model's, thinking aloud and arguments of a call included; its role alone is none."""
    return isinstance(delta, dict) and any(value for name, value in delta.items() if name != "role")


def _server_timings(timings: dict[str, Any]) -> ServerTimings | None:
    """llama.cpp's own clock. It does not say how long a request waited for a slot."""
    prefill_s, decode_s = _seconds(timings.get("prompt_ms")), _seconds(timings.get("predicted_ms"))
    if prefill_s is None and decode_s is None:
        return None
    return ServerTimings(prefill_s=prefill_s, decode_s=decode_s)


def _seconds(milliseconds: Any) -> float | None:
    is_number = isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool)
    return milliseconds / 1000 if is_number and math.isfinite(milliseconds) and milliseconds >= 0 else None


def _message(body: Any) -> str:
    error = body.get("error") or body if isinstance(body, dict) else body
    message = error.get("message") or error if isinstance(error, dict) else error
    return str(message)[:SAID_OF_FAILURE]


def _count(value: Any) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count else None


def _parsed_or_text(content: bytes) -> Any:
    try:
        return parse_json(content)
    except ValueError:
        return content.decode("utf-8", "replace")
