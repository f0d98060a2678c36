"""What a recorded model call was answered with: text and tool calls that nobody vouches for. Pure code."""

from __future__ import annotations

from typing import Any

from cluster.gateway.convert import whole_of
from cluster.gateway.parsing import objects, parse_json
from shared.calls import Call


def is_empty(call: Call) -> bool:
    """Whether the server answered with neither text nor a tool call, so that no framework could go on."""
    if call.failed:
        return False
    message = message_of(call)
    return message is not None and not _text(message).strip() and not _arguments(message)


def is_cut_off_call(call: Call) -> bool:
    """Whether the limit of tokens ended the answer in the midst of a tool call's arguments.

    Frameworks fail in their own ways then: some at the arguments, some at a server (llama.cpp) that refuses
    to be sent them back.
    """
    if call.failed or call.finish_reason != "length":
        return False
    return any(not _is_json(arguments) for arguments in _arguments(message_of(call) or {}))


def message_of(call: Call) -> dict[str, Any] | None:
    """The message of a chat completion's first choice, whole or streamed; None for anything else."""
    body = whole_of(call.response) if isinstance(call.response, list) else call.response
    choice = next(objects(body.get("choices")), {}) if isinstance(body, dict) else {}
    message = choice.get("message")
    return message if isinstance(message, dict) else None


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else ""


def _arguments(message: dict[str, Any]) -> list[Any]:
    """Of each tool call, as the model wrote them."""
    calls = objects(message.get("tool_calls"))
    functions = [call["function"] for call in calls if isinstance(call.get("function"), dict)]
    return [function.get("arguments") for function in functions]


def _is_json(arguments: Any) -> bool:
    if not isinstance(arguments, str):
        return True
    try:
        parse_json(arguments.encode("utf-8", "replace"))
    except ValueError:
        return False
    return True
