"""A request's messages, alike for clients that spell the same thing in two ways. Never raises."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

NORMALISATIONS = {
    "text_part": "A content that is a list of one text part counts as that text.",
    "null": "A key whose value is null counts as left out.",
    "call_id": "The id that pairs a tool's result with its call counts as the pair, whatever its characters.",
    "strict_false": "A tool without `strict` counts as one with the protocol's default, false.",
    "key_order": "The order of an object's keys does not count.",
    "number": "Numbers are compared by value: 0 is 0.0.",
}
"""All that counts as equal though it is spelt differently. The last three are not counted."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    name: str
    arguments: str
    """As the model wrote them."""


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    texts: tuple[str, ...] = ()
    """Of its content, part by part."""
    calls: tuple[ToolCall, ...] = ()
    extras: tuple[tuple[str, str], ...] = ()
    """All else that was said, as key and JSON."""
    answers: str | None = None
    """The tool whose call this is the result of."""


@dataclass(frozen=True, slots=True)
class Conversation:
    messages: tuple[Message, ...]
    normalised: frozenset[str] = frozenset()


def read_conversation(request: Any) -> Conversation | None:
    """None when it is no chat completion's request."""
    told = request.get("messages") if isinstance(request, dict) else None
    if not isinstance(told, list):
        return None
    reader = _Reader()
    try:
        return Conversation(tuple(reader.message(item) for item in told), frozenset(reader.normalised))
    except RecursionError:
        return None


def as_json(value: Any) -> str:
    """The same for equal values: sorted keys, no spaces, whole numbers without a fraction."""
    return json.dumps(_plain_numbers(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def tool_calls(value: Any) -> Iterator[ToolCall]:
    """Those of an assistant's message, left out where they are not of the protocol's shape."""
    for item in value if isinstance(value, list) else ():
        call = _tool_call(item)
        if call:
            yield call


class _Reader:
    """Reads messages in order: a result is known by the call it answers."""

    def __init__(self) -> None:
        self.normalised: set[str] = set()
        self._called: dict[str, str] = {}

    def message(self, item: Any) -> Message:
        if not isinstance(item, dict):
            return Message("", extras=(("message", as_json(item)),))
        given = self._without_nulls(item)
        called = given.get("tool_call_id")
        answers = self._called.get(called) if isinstance(called, str) else None
        role = given.pop("role", "")
        extras = [] if isinstance(role, str) else [("role", as_json(role))]
        texts, odd = self._content(given.pop("content", None))
        calls, rest = self._calls(given.pop("tool_calls", None))
        extras += [*odd, *rest, *self._others(given)]
        return Message(role if isinstance(role, str) else "", texts, calls, tuple(sorted(extras)), answers)

    def _without_nulls(self, item: dict[str, Any]) -> dict[str, Any]:
        given = {key: value for key, value in item.items() if value is not None}
        if len(given) < len(item):
            self.normalised.add("null")
        return given

    def _content(self, content: Any) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
        if isinstance(content, str):
            return (content,) if content else (), [] if content else [("content", '""')]
        if content is None:
            return (), []
        if not isinstance(content, list):
            return (), [("content", as_json(content))]
        texts = [self._part_text(part) for part in content]
        known = tuple(text for text in texts if text is not None)
        odd = [
            ("content part", as_json(part)) for part, text in zip(content, texts, strict=True) if text is None
        ]
        if len(texts) == 1 and known:
            self.normalised.add("text_part")
            return known, odd
        return known, [("content", f"{len(texts)} parts"), *odd]

    def _part_text(self, part: Any) -> str | None:
        given = self._without_nulls(part) if isinstance(part, dict) else {}
        text = given.get("text")
        return text if isinstance(text, str) and given == {"type": "text", "text": text} else None

    def _calls(self, value: Any) -> tuple[tuple[ToolCall, ...], list[tuple[str, str]]]:
        if not isinstance(value, list):
            return (), [] if value is None else [("tool_calls", as_json(value))]
        calls, odd = [], []
        for item in value:
            call = _tool_call(item)
            if call is None:
                odd.append(("tool_calls", as_json(item)))
                continue
            calls.append(call)
            if isinstance(item.get("id"), str):
                self._called[item["id"]] = call.name
        return tuple(calls), odd

    def _others(self, given: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for key, value in given.items():
            if key == "tool_call_id" and isinstance(value, str) and value in self._called:
                self.normalised.add("call_id")
            else:
                yield key, as_json(value)


def _tool_call(item: Any) -> ToolCall | None:
    function = item.get("function") if isinstance(item, dict) else None
    if not isinstance(function, dict) or item.get("type", "function") != "function":
        return None
    name, arguments = function.get("name"), function.get("arguments", "")
    return ToolCall(name, arguments) if isinstance(name, str) and isinstance(arguments, str) else None


def _plain_numbers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _plain_numbers(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain_numbers(part) for part in value]
    return value


def texts_of(messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        yield from message.texts
