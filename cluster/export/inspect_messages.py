"""Bodies of calls as Inspect's chat messages, model outputs and tools.

What a framework sends and a server answers need not be what the protocol says: whatever is not of its shape
is left out here, and stands as it was in the event's `call`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from cluster.gateway.parsing import objects
from cluster.spans.content import assembled
from shared.calls import Call

Json = dict[str, Any]
STOP_REASONS = {
    "stop": "stop",
    "length": "max_tokens",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
ROLES = {"developer": "system", "function": "tool"}
SCHEMA_KEYS = {
    *("type", "format", "description", "default", "enum", "items", "properties", "additionalProperties"),
    *("anyOf", "required", "pattern", "minLength", "maxLength", "minimum", "maximum", "examples"),
}
"""Of JSON Schema, what Inspect keeps of a tool's parameters."""
SAMPLING: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "temperature": ("temperature", (int, float)),
    "top_p": ("top_p", (int, float)),
    "seed": ("seed", int),
    "max_tokens": ("max_tokens", int),
    "max_completion_tokens": ("max_tokens", int),
    "max_output_tokens": ("max_tokens", int),
    "frequency_penalty": ("frequency_penalty", (int, float)),
    "presence_penalty": ("presence_penalty", (int, float)),
    "parallel_tool_calls": ("parallel_tool_calls", bool),
}
"""A request's parameter -> its name and type in Inspect's GenerateConfig."""


def request_messages(request: Any) -> list[Json]:
    """Of a chat completion, or of the Responses API."""
    if not isinstance(request, dict):
        return []
    given = request.get("messages", request.get("input"))
    said = [{"role": "user", "content": given}] if isinstance(given, str) else list(objects(given))
    told = request.get("instructions")
    system = [{"role": "system", "content": told}] if isinstance(told, str) else []
    return [_message(message) for message in (*system, *said)]


def request_tools(request: Any) -> list[Json]:
    return list(_tools(request.get("tools"))) if isinstance(request, dict) else []


def sampling(request: Any) -> Json:
    if not isinstance(request, dict):
        return {}
    return {
        name: value
        for asked, (name, kind) in SAMPLING.items()
        if isinstance(value := request.get(asked), kind) and (kind is bool or not isinstance(value, bool))
    }


def model_output(call: Call, model: str, took_s: float) -> Json:
    """A ModelOutput; without choices where the answer holds none."""
    whole = assembled(list(objects(call.response))) if isinstance(call.response, list) else call.response
    answer = whole if isinstance(whole, dict) else {}
    named = answer.get("model")
    served = named if isinstance(named, str) else model
    choices = [_choice(choice, served) for choice in objects(answer.get("choices"))]
    if not choices and (said := list(objects(answer.get("output")))):
        choices = [_finished(_said_in(said), served, call.finish_reason)]
    output: Json = {
        "model": served,
        "choices": choices,
        "completion": choices[0]["message"]["content"] if choices else "",
        "time": took_s,
    }
    if isinstance(answer.get("id"), str):
        output["response_id"] = answer["id"]
    if call.prompt_tokens is not None or call.completion_tokens is not None:
        output["usage"] = usage(call.prompt_tokens or 0, call.completion_tokens or 0, call.cached_tokens)
    return output


def usage(prompt_tokens: int, completion_tokens: int, cached_tokens: int | None) -> Json:
    """A ModelUsage, whose input leaves out what the server had read before."""
    found = {
        "input_tokens": prompt_tokens - min(cached_tokens or 0, prompt_tokens),
        "output_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }
    return found if cached_tokens is None else found | {"input_tokens_cache_read": cached_tokens}


def assistant(text: str, model: str) -> Json:
    return _identified({"role": "assistant", "content": text, "source": "generate", "model": model})


def _choice(choice: Json, model: str) -> Json:
    said = choice.get("message")
    return _finished(_message(said if isinstance(said, dict) else {}), model, choice.get("finish_reason"))


def _finished(message: Json, model: str, reason: Any) -> Json:
    answer = {name: value for name, value in message.items() if name in ("content", "tool_calls")}
    if not isinstance(answer["content"], str):
        answer["content"] = "\n".join(part["text"] for part in answer["content"])
    return {
        "message": _identified({"role": "assistant", **answer, "source": "generate", "model": model}),
        "stop_reason": STOP_REASONS.get(reason, "unknown") if isinstance(reason, str) else "unknown",
    }


def _said_in(items: list[Json]) -> Json:
    """The Responses API's items of one answer as one message."""
    messages = [_message({"role": "assistant", **item}) for item in items]
    texts = [message["content"] for message in messages if isinstance(message["content"], str)]
    texts += [
        part["text"]
        for message in messages
        if isinstance(message["content"], list)
        for part in message["content"]
    ]
    calls = [call for message in messages for call in message.get("tool_calls", ())]
    joined: Json = {"content": "\n".join(text for text in texts if text)}
    return joined | ({"tool_calls": calls} if calls else {})


def _message(message: Json) -> Json:
    kind = message.get("type")
    if kind == "function_call":
        return _identified({"role": "assistant", "content": "", "tool_calls": [_tool_call(message)]})
    if kind == "function_call_output":
        message = {**message, "role": "tool", "content": message.get("output")}
        message["tool_call_id"] = message.get("call_id")
    named = message.get("role")
    role = ROLES.get(named, named) if isinstance(named, str) else "user"
    found: Json = {
        "role": role if role in ("system", "user", "assistant", "tool") else "user",
        "content": _content(message.get("content")),
    }
    if found["role"] == "assistant" and (calls := list(objects(message.get("tool_calls")))):
        found["tool_calls"] = [_tool_call(call) for call in calls]
    if found["role"] == "tool" and isinstance(message.get("tool_call_id"), str):
        found["tool_call_id"] = message["tool_call_id"]
    return _identified(found)


def _content(said: Any) -> str | list[Json]:
    """Pictures and the like are named, not copied."""
    if isinstance(said, list):
        parts = list(objects(said))
        texts = [part.get("text") for part in parts]
        return [
            {"type": "text", "text": text if isinstance(text, str) else f"({part.get('type', 'unknown')})"}
            for part, text in zip(parts, texts, strict=True)
        ]
    return said if isinstance(said, str) else "" if said is None else json.dumps(said, ensure_ascii=False)


def _tool_call(call: Json) -> Json:
    inner = call.get("function")
    function = inner if isinstance(inner, dict) else call
    given, called = function.get("arguments"), call.get("call_id", call.get("id"))
    found: Json = {"id": str(called), "function": str(function.get("name", "")), "type": "function"}
    try:
        arguments = json.loads(given) if isinstance(given, str) else given
    except (ValueError, RecursionError) as error:  # what a model writes need not be JSON
        return found | {"arguments": {"written": given}, "parse_error": str(error)}
    return found | {"arguments": arguments if isinstance(arguments, dict) else {"value": arguments}}


def _tools(given: Any) -> Iterator[Json]:
    for tool in objects(given):
        inner = tool.get("function")
        described = inner if isinstance(inner, dict) else tool
        schema = described.get("parameters")
        parameters = _schema(schema) if isinstance(schema, dict) else {}
        yield {
            "name": str(described.get("name", "")),
            "description": str(described.get("description") or ""),
            "parameters": {
                "type": "object",
                "properties": parameters.get("properties") or {},
                "required": parameters.get("required") or [],
            },
        }


def _schema(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    kept = {name: value for name, value in schema.items() if name in SCHEMA_KEYS and value is not None}
    if isinstance(kept.get("properties"), dict):
        kept["properties"] = {name: _schema(part) for name, part in kept["properties"].items()}
    for name in ("items", "additionalProperties"):
        if name in kept:
            kept[name] = _schema(kept[name])
    if isinstance(kept.get("anyOf"), list):
        kept["anyOf"] = [_schema(part) for part in kept["anyOf"]]
    return kept


def _identified(message: Json) -> Json:
    """With an id made of what it says, so that one message has one id in every call that repeats it."""
    text = json.dumps(message, sort_keys=True, ensure_ascii=False)
    return {"id": hashlib.sha256(text.encode()).hexdigest()[:22], **message}
