"""What an answer of the model server says of itself: pure parsing of bytes that nobody vouches for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cluster.gateway.parsing import parse_json

DONE = b"[DONE]"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found in an answer; None where it did not say."""

    body: Any = None
    """Parsed JSON, the list of a stream's events, or text."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    finish_reason: str | None = None
    error: str | None = None
    """Why this is not the answer that was asked for; None when it is."""


def read_body(content: bytes, status: int) -> Reading:
    """A whole answer."""
    body = _json(content)
    if body is None:
        text = content.decode("utf-8", "replace")
        return Reading(body=text, error=f"the answer is not JSON: {text[:200]!r}")
    if status >= 400:
        return Reading(body=body, error=_server_message(body))
    if not isinstance(body, dict):
        return Reading(body=body, error="the answer is not a JSON object")
    return _reading(body, [body])


def read_events(events: list[bytes], *, complete: bool) -> Reading:
    """A stream, given each event's data; `complete`: it came to its end and did not break off."""
    parsed = [_json(event) for event in events if event != DONE]
    objects = [event for event in parsed if isinstance(event, dict)]
    reading = _reading(parsed, objects)
    problem = None
    if len(objects) < len(parsed):
        problem = "an event of the stream is not a JSON object"
    elif not complete:
        problem = "the stream broke off before its end"
    elif not objects:
        problem = "the stream held no answer"
    return Reading(
        reading.body,
        reading.prompt_tokens,
        reading.completion_tokens,
        reading.cached_tokens,
        reading.finish_reason,
        problem,
    )


def split_events(buffer: bytes) -> tuple[list[bytes], bytes]:
    """Whole server-sent events, each with its closing blank line, and the rest that is not whole yet."""
    events: list[bytes] = []
    while True:
        found = [at + len(mark) for mark in (b"\n\n", b"\r\n\r\n") if (at := buffer.find(mark)) >= 0]
        if not found:
            return events, buffer
        events.append(buffer[: min(found)])
        buffer = buffer[min(found) :]


def event_data(event: bytes) -> bytes | None:
    """The data of one event; None for a comment or an event without data."""
    lines = [line[5:].strip() for line in event.splitlines() if line.startswith(b"data:")]
    return b"\n".join(lines) if lines else None


def is_usage_only(data: bytes) -> bool:
    """Whether this is the extra event that `include_usage` asks for: usage, and no choices."""
    body = _json(data)
    return isinstance(body, dict) and body.get("choices") == [] and isinstance(body.get("usage"), dict)


def _reading(body: Any, objects: list[dict[str, Any]]) -> Reading:
    usage: dict[str, Any] = {}
    finish: str | None = None
    for part in objects:
        # The Responses API wraps the finished answer in an event of its own.
        inner = part.get("response")
        for holder in (part, inner if isinstance(inner, dict) else {}):
            if isinstance(holder.get("usage"), dict):
                usage = holder["usage"]
        choices = part.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            if isinstance(choice, dict) and isinstance(choice.get("finish_reason"), str):
                finish = choice["finish_reason"]
    details = usage.get("prompt_tokens_details", usage.get("input_tokens_details"))
    return Reading(
        body=body,
        prompt_tokens=_count(usage.get("prompt_tokens", usage.get("input_tokens"))),
        completion_tokens=_count(usage.get("completion_tokens", usage.get("output_tokens"))),
        cached_tokens=_count(details.get("cached_tokens")) if isinstance(details, dict) else None,
        finish_reason=finish,
    )


def _server_message(body: Any) -> str:
    error = body.get("error", body) if isinstance(body, dict) else body
    message = error.get("message", error) if isinstance(error, dict) else error
    return str(message)[:500]


def _count(value: Any) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count else None


def _json(content: bytes) -> Any:
    try:
        return parse_json(content)
    except ValueError:
        return None
