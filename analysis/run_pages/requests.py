"""A call of a run's journal as the page shows it: messages, tool calls and answers as plain text."""

from __future__ import annotations

from typing import Any

from analysis.fairness.answers import read_answer
from analysis.fairness.messages import Message, ToolCall, as_json, read_conversation
from analysis.run_pages.texts import TextPool
from shared.calls import Call

SPELT_OUT = ("messages", "tools", "model", "stream", "stream_options")
"""Keys of a request that are no parameter of sampling."""


def call_data(call: Call, texts: TextPool) -> dict[str, Any]:
    """JSON with the place of each text in `texts`; keys without a value are left out."""
    answer = read_answer(call)
    data = {
        "n": call.sequence,
        "what": call.path.rstrip("/").rpartition("/")[2] if call.kind == "tool" else "model",
        "agent": call.agent,
        "seconds": round(call.last_byte_s - call.arrived_s, 3),
        "in": call.prompt_tokens,
        "out": call.completion_tokens,
        "status": call.status if call.failed else None,
        "error": texts.place(call.error) if call.error else None,
        "retry_of": call.retry_of,
        **_request(call, texts),
        "answer": texts.place(answer.text) if answer and answer.text else None,
        "called": [_tool_call(tool, texts) for tool in answer.calls] if answer else None,
    }
    if answer is None and call.response is not None:
        data["answer"] = texts.place(_as_text(call.response))
    return {name: value for name, value in data.items() if value is not None and value != []}


def _request(call: Call, texts: TextPool) -> dict[str, Any]:
    conversation = read_conversation(call.request)
    if conversation is None:
        return {} if call.request is None else {"sent": texts.place(_as_text(call.request))}
    given = {key: value for key, value in call.request.items() if key not in SPELT_OUT and value is not None}
    offered = call.request.get("tools")
    return {
        "messages": [_message(message, texts) for message in conversation.messages],
        "parameters": ", ".join(f"{key} {as_json(value)}" for key, value in sorted(given.items())),
        "tools": texts.place(_as_text(offered)) if offered else None,
    }


def _message(message: Message, texts: TextPool) -> list[Any]:
    """Role, places of its texts, tool calls; what else it says is one more text."""
    extras = "\n".join(f"{key}: {value}" for key, value in message.extras)
    said = [texts.place(text) for text in (*message.texts, *((extras,) if extras else ()))]
    return [message.role or "no role", said, [_tool_call(tool, texts) for tool in message.calls]]


def _tool_call(tool: ToolCall, texts: TextPool) -> list[Any]:
    return [tool.name, texts.place(tool.arguments)]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else as_json(value)
