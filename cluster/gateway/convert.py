"""Chat completions from one form to the other: a whole answer as a stream, a stream as a whole answer."""

from __future__ import annotations

from typing import Any

from cluster.gateway.parsing import objects

SAME_IN_BOTH = ("id", "created", "model", "system_fingerprint", "service_tier")


def stream_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """One event with all of each choice, then one with the usage."""
    about = {**_about(body), "object": "chat.completion.chunk"}
    events = [{**about, "choices": [_as_delta(choice) for choice in objects(body.get("choices"))]}]
    if body.get("usage"):
        events.append({**about, "choices": [], "usage": body["usage"]})
    if "timings" in body:
        events[-1]["timings"] = body["timings"]
    return events


def whole_of(events: list[Any]) -> dict[str, Any]:
    """What the events of a stream add up to."""
    about: dict[str, Any] = {}
    said: dict[str, Any] = {}
    choices: dict[int, dict[str, Any]] = {}
    for event in objects(events):
        about = _about(event) | about
        said |= {name: event[name] for name in ("usage", "timings") if event.get(name)}
        for part in objects(event.get("choices")):
            index = part["index"] if isinstance(part.get("index"), int) else 0
            _add(choices.setdefault(index, _empty_choice(index)), part)
    for choice in choices.values():
        for call in choice["message"].get("tool_calls", ()):
            del call["index"]  # only a stream has it
    return {**about, "object": "chat.completion", "choices": [choices[n] for n in sorted(choices)], **said}


def _about(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in SAME_IN_BOTH if name in body}


def _as_delta(choice: dict[str, Any]) -> dict[str, Any]:
    said = choice.get("message")
    message = dict(said) if isinstance(said, dict) else {}
    if message.get("tool_calls"):
        message["tool_calls"] = [
            {"index": n, **call} for n, call in enumerate(objects(message["tool_calls"]))
        ]
    return {**{name: value for name, value in choice.items() if name != "message"}, "delta": message}


def _empty_choice(index: int) -> dict[str, Any]:
    return {"index": index, "message": {"role": "assistant", "content": None}, "finish_reason": None}


def _add(choice: dict[str, Any], part: dict[str, Any]) -> None:
    """Texts grow; anything else is said once, or the last word counts."""
    said = {name: value for name, value in part.items() if name not in ("delta", "message")}
    choice |= {name: value for name, value in said.items() if value is not None}
    message, delta = choice["message"], part.get("delta")
    for name, value in delta.items() if isinstance(delta, dict) else ():
        if name == "tool_calls":
            _add_tool_calls(message, value)
        elif name != "role" and isinstance(value, str) and isinstance(message.get(name), str):
            message[name] += value
        elif value is not None:
            message[name] = value


def _add_tool_calls(message: dict[str, Any], parts: Any) -> None:
    """The first part of a call has its id and name, the later ones more of its arguments."""
    for part in objects(parts):
        calls = message.setdefault("tool_calls", [])
        index = part.get("index", len(calls))
        call = next((known for known in calls if known["index"] == index), None)
        if call is None:
            call = {"index": index, "function": {"arguments": ""}}
            calls.append(call)
        call |= {name: value for name, value in part.items() if name != "function" and value is not None}
        function = part.get("function")
        for name, value in function.items() if isinstance(function, dict) else ():
            if name == "arguments" and isinstance(value, str):
                call["function"][name] += value
            elif value is not None and name != "arguments":
                call["function"][name] = value
