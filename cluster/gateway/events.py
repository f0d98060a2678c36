"""Server-sent events, as bytes: where one ends, what it carries, and which one is a stream's last."""

from __future__ import annotations

import re
from typing import Any

from cluster.gateway.parsing import parse_json

DONE = b"[DONE]"
CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
LAST_RESPONSES_EVENTS = frozenset({"response.completed", "response.incomplete", "response.failed"})

_BLANK_LINE = re.compile(rb"\n\r?\n")
_NO_CHOICES = re.compile(rb'"choices"\s*:\s*\[\s*\]')
_WORTH_A_LOOK = (DONE, b'"usage"', *(f'"{kind}"'.encode() for kind in sorted(LAST_RESPONSES_EVENTS)))


def whole_events(rest: bytes, chunk: bytes) -> tuple[bytes, bytes]:
    """The events that are whole, each with its closing blank line, and the rest that is not whole yet.

    `rest` is what was not whole before `chunk` came.
    """
    buffer = rest + chunk
    # A blank line may be half in the rest, but not more: of a long event nothing is looked through twice.
    start = max(0, len(rest) - 2)
    cut = max((found.end() for found in _BLANK_LINE.finditer(buffer, start)), default=0)
    return buffer[:cut], buffer[cut:]


def split_events(buffer: bytes) -> tuple[list[bytes], bytes]:
    """The whole events of a buffer, one by one, and the rest."""
    events: list[bytes] = []
    start = 0
    for found in _BLANK_LINE.finditer(buffer):
        events.append(buffer[start : found.end()])
        start = found.end()
    return events, buffer[start:]


def event_data(event: bytes) -> bytes | None:
    """The data of one event; None for a comment or an event without data."""
    lines = [line[5:].strip() for line in event.splitlines() if line.startswith(b"data:")]
    return b"\n".join(lines) if lines else None


def is_plain_delta(events: bytes) -> bool:
    """Whether none of these events can be a stream's last one or carry its usage: a cheap first look."""
    return not any(mark in events for mark in _WORTH_A_LOOK)


def is_usage_only(data: bytes) -> bool:
    """Whether this is the extra event that `include_usage` asks for: usage, and no choices."""
    body = _json(data) if _NO_CHOICES.search(data) else None
    return isinstance(body, dict) and body.get("choices") == [] and isinstance(body.get("usage"), dict)


def ends_stream(path: str, data: bytes) -> bool:
    """Whether this is what a stream on `path` closes with."""
    if path != RESPONSES:
        return data == DONE
    return ends_responses(_json(data))


def ends_responses(event: Any) -> bool:
    kind = event.get("type") if isinstance(event, dict) else None
    return isinstance(kind, str) and kind in LAST_RESPONSES_EVENTS


def _json(content: bytes) -> Any:
    try:
        return parse_json(content)
    except ValueError:
        return None
