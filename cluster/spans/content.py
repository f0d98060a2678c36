"""Prompts and answers in the convention's form (gen_ai.input.messages ...), only where they are asked for.

As JSON text, the form for attributes of spans that viewers read. A body that is not what an OpenAI-compatible
request or answer is gives nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from cluster.gateway.convert import whole_of
from cluster.gateway.parsing import objects
from cluster.spans.steps import Step
from shared.calls import Call
from shared.records import RunRecord

Message = dict[str, Any]


def run(record: RunRecord) -> dict[str, str]:
    """The report."""
    return _answer(record.text)


def step(taken: Step, record: RunRecord) -> dict[str, str]:
    """The agent's answer, as the framework handed it back."""
    return _answer(record.agent_outputs.get(taken.agent, ""))


def call(made: Call) -> dict[str, str]:
    if made.kind == "tool":
        found = {"gen_ai.tool.call.arguments": made.request, "gen_ai.tool.call.result": made.response}
    else:
        asked = made.request if isinstance(made.request, dict) else {}
        found = {
            "gen_ai.system_instructions": _instructions(asked),
            "gen_ai.input.messages": list(_input(asked)),
            "gen_ai.tool.definitions": list(_tools(asked)),
            "gen_ai.output.messages": list(_output(made.response)),
        }
    return {name: _json(value) for name, value in found.items() if value not in (None, "", [], {})}


def _answer(text: str) -> dict[str, str]:
    messages = [{"role": "assistant", "parts": [_text(text)]}]
    return {"gen_ai.output.messages": _json(messages)} if text else {}


def _instructions(asked: dict[str, Any]) -> list[Message]:
    """Of the Responses API, where they stand apart from the conversation."""
    said = asked.get("instructions")
    return [_text(said)] if isinstance(said, str) else []


def _input(asked: dict[str, Any]) -> Iterator[Message]:
    given = asked.get("messages", asked.get("input"))
    if isinstance(given, str):
        yield {"role": "user", "parts": [_text(given)]}
    for message in objects(given):
        yield _message(message)


def _tools(asked: dict[str, Any]) -> Iterator[Message]:
    for tool in objects(asked.get("tools")):
        inner = tool.get("function")
        described = inner if isinstance(inner, dict) else tool
        wanted = ("name", "description", "parameters")
        yield {"type": "function"} | {name: described[name] for name in wanted if name in described}


def _output(said: Any) -> Iterator[Message]:
    whole = assembled(list(objects(said))) if isinstance(said, list) else said
    if not isinstance(whole, dict):
        return
    for choice in objects(whole.get("choices")):
        message = choice.get("message")
        if isinstance(message, dict):
            reason = choice.get("finish_reason")
            yield _message(message) | ({"finish_reason": reason} if isinstance(reason, str) else {})
    for item in objects(whole.get("output")):
        yield _message(item, role="assistant")


def _message(message: dict[str, Any], role: str = "user") -> Message:
    """A message of a chat, or an item of the Responses API."""
    kind, said = message.get("type"), message.get("content")
    if kind == "function_call":
        return {"role": "assistant", "parts": [_call(message, message.get("call_id"))]}
    if kind == "function_call_output":
        return {"role": "tool", "parts": [_result(message.get("output"), message.get("call_id"))]}
    role = message["role"] if isinstance(message.get("role"), str) else role
    if role == "tool":
        return {"role": role, "parts": [_result(said, message.get("tool_call_id"))]}
    parts = [_text(said)] if isinstance(said, str) and said else [_part(part) for part in objects(said)]
    for call in objects(message.get("tool_calls")):
        function = call.get("function")
        parts.append(_call(function if isinstance(function, dict) else {}, call.get("id")))
    return {"role": role, "parts": parts}


def _part(part: dict[str, Any]) -> Message:
    """Pictures and the like are named, not copied."""
    text = part.get("text")
    return _text(text) if isinstance(text, str) else {"type": str(part.get("type", "unknown"))}


def _text(text: str) -> Message:
    return {"type": "text", "content": text}


def _call(function: dict[str, Any], call_id: Any) -> Message:
    arguments = function.get("arguments")
    with suppress(ValueError, RecursionError):  # what a model writes need not be JSON
        arguments = json.loads(arguments) if isinstance(arguments, str) else arguments
    return {"type": "tool_call", "id": call_id, "name": str(function.get("name", "")), "arguments": arguments}


def _result(response: Any, call_id: Any) -> Message:
    return {"type": "tool_call_response", "id": call_id, "response": response}


def assembled(events: list[dict[str, Any]]) -> dict[str, Any]:
    """A stream as the whole answer that it spells: the Responses API sends that itself, at the end."""
    finished = [inner for event in events if isinstance(inner := event.get("response"), dict)]
    if finished:
        return dict(finished[-1])
    return whole_of(events)


def _json(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()
