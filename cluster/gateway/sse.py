"""Server-sent events, split without changing a byte."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

# A blank line ends an event, in any of the line endings that the standard allows.
_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r")


@dataclass(frozen=True, slots=True)
class Event:
    raw: bytes
    """As received, the blank line included."""
    data: str
    """The data lines, joined."""

    @property
    def is_done(self) -> bool:
        """Whether the model server says with this event that the answer is complete."""
        if self.data == "[DONE]":
            return True
        parsed = self.parsed()
        return isinstance(parsed, dict) and parsed.get("type") in _LAST_RESPONSES_EVENTS

    def parsed(self) -> Any:
        """The data as JSON; as text when it is not JSON."""
        return parse_json_or_text(self.data)


# The Responses API has no [DONE].
_LAST_RESPONSES_EVENTS = ("response.completed", "response.failed", "response.incomplete")


class EventSplitter:
    """Cuts a byte stream into events: the concatenation of everything handed out is the input."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[Event]:
        # The blank line may straddle two chunks: search from three bytes before the new ones.
        searched = max(0, len(self._rest) - 3)
        self._rest += chunk
        events = []
        start = 0
        while match := _BLANK_LINE.search(self._rest, max(searched, start)):
            events.append(_event(self._rest[start : match.end()]))
            start = match.end()
        self._rest = self._rest[start:]
        return events

    def rest(self) -> bytes:
        """What came after the last complete event."""
        return self._rest


def _event(raw: bytes) -> Event:
    lines = re.split(r"\r\n|\n|\r", raw.decode("utf-8", errors="replace"))
    data = [line.removeprefix("data:").removeprefix(" ") for line in lines if line.startswith("data:")]
    return Event(raw, "\n".join(data))


def parse_json_or_text(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return text


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
