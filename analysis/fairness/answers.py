"""What the model answered to a call, read from a whole answer or from a stream's events. Never raises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from analysis.fairness.messages import ToolCall, tool_calls
from shared.calls import Call


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    calls: tuple[ToolCall, ...] = ()


def read_answer(call: Call) -> Answer | None:
    """None for a call that failed or whose answer is no chat completion."""
    if call.failed:
        return None
    if isinstance(call.response, list):
        return _streamed(call.response)
    choice = _first_choice(call.response)
    message = choice.get("message") if choice else None
    if not isinstance(message, dict):
        return None
    return Answer(_text(message.get("content")), tuple(tool_calls(message.get("tool_calls"))))


def _streamed(events: list[Any]) -> Answer:
    text: list[str] = []
    names: dict[Any, str] = {}
    arguments: dict[Any, str] = {}
    for delta in _deltas(events):
        text.append(_text(delta.get("content")))
        for index, function in _called(delta.get("tool_calls")):
            names[index] = names.get(index, "") + _text(function.get("name"))
            arguments[index] = arguments.get(index, "") + _text(function.get("arguments"))
    return Answer("".join(text), tuple(ToolCall(name, arguments[index]) for index, name in names.items()))


def _deltas(events: list[Any]) -> Iterator[dict[str, Any]]:
    for event in events:
        choice = _first_choice(event)
        delta = choice.get("delta") if choice else None
        if isinstance(delta, dict):
            yield delta


def _called(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in value if isinstance(value, list) else ():
        function = item.get("function") if isinstance(item, dict) else None
        if isinstance(function, dict):
            yield str(item.get("index", 0)), function


def _first_choice(body: Any) -> dict[str, Any] | None:
    choices = body.get("choices") if isinstance(body, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
