"""What a model server's answer says of itself: tokens, finish reason, or why it cannot be used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

# Larger than any context window: a count beyond this is nonsense, not a count.
_MOST_TOKENS = 10**9


@dataclass(frozen=True, slots=True)
class Reading:
    """The measured part of one answer. Every field is None where the server said nothing."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    finish_reason: str | None = None
    error: str | None = None


def read_body(path: str, body: Any) -> Reading:
    """Read an answer that was not streamed. `body` is parsed JSON, or text where it was none."""
    if not isinstance(body, dict):
        return Reading(error="the model server's answer is not a JSON object")
    problem = None
    if path.endswith("/chat/completions") and not _choices(body):
        problem = "the model server's answer has no choices"
    return _reading([body], problem)


def read_stream(path: str, events: list[Any], *, ended: bool) -> Reading:
    """Read a streamed answer from its parsed events. `ended`: the server said that it was complete."""
    problem = None
    if any(isinstance(event, str) and event != "[DONE]" for event in events):
        problem = "the model server's stream has an event that is not JSON"
    elif any(isinstance(event, dict) and "error" in event and event["error"] for event in events):
        problem = "the model server reported an error within the stream"
    elif not ended:
        problem = "the model server's stream stopped before its end"
    elif path.endswith("/chat/completions") and not any(_choices(event) for event in events):
        problem = "the model server's stream has no choices"
    bodies = [event for event in events if isinstance(event, dict)]
    # The Responses API carries the whole answer in its last event.
    return _reading([_inner_response(body) for body in bodies], problem)


def is_usage_only(event: Any) -> bool:
    """Whether this is the extra event that a server sends when usage was asked for."""
    return isinstance(event, dict) and event.get("choices") == [] and isinstance(event.get("usage"), dict)


def _reading(bodies: list[dict[str, Any]], problem: str | None) -> Reading:
    usage = _last(body.get("usage") for body in bodies)
    counts, usage_problem = _counts(usage)
    return Reading(
        prompt_tokens=counts.get("prompt"),
        completion_tokens=counts.get("completion"),
        cached_tokens=counts.get("cached"),
        finish_reason=_finish_reason(bodies),
        error=problem or usage_problem,
    )


def _counts(usage: Any) -> tuple[dict[str, int], str | None]:
    if usage is None:
        return {}, None
    if not isinstance(usage, dict):
        return {}, "the model server's usage is not an object"
    # The Responses API says input and output where chat completions say prompt and completion.
    details = usage.get("prompt_tokens_details", usage.get("input_tokens_details"))
    stated = {
        "prompt": usage.get("prompt_tokens", usage.get("input_tokens")),
        "completion": usage.get("completion_tokens", usage.get("output_tokens")),
        "cached": details.get("cached_tokens") if isinstance(details, dict) else None,
    }
    counts = {name: value for name, value in stated.items() if value is not None}
    wrong = {name: value for name, value in counts.items() if not _is_count(value)}
    if wrong:
        return {}, f"the model server's usage is not a count: {str(wrong)[:200]}"
    return counts, None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS


def _finish_reason(bodies: list[dict[str, Any]]) -> str | None:
    reasons = (choice.get("finish_reason") for body in bodies for choice in _choices(body))
    reason = _last(reasons)
    if reason is None:
        reason = _last(body.get("status") for body in bodies if body.get("object") == "response")
    return reason if isinstance(reason, str) else None


def _choices(body: Any) -> list[dict[str, Any]]:
    choices = body.get("choices") if isinstance(body, dict) else None
    return [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []


def _inner_response(body: dict[str, Any]) -> dict[str, Any]:
    response = body.get("response")
    return response if isinstance(response, dict) else body


def _last(values: Iterable[Any]) -> Any:
    last = None
    for value in values:
        if value is not None:
            last = value
    return last
