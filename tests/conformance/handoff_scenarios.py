"""Handing over control: the agents, and how the model server answers. The model decides who goes on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.conformance.scripted_server import Reply, completion

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_HANDOFFS = 2
LOOKUP: dict[str, Any] = {
    "name": "lookup",
    "description": "Looks up one order.",
    "parameters": {
        "type": "object",
        "properties": {"order": {"type": "string", "description": "Its number."}},
        "required": ["order"],
    },
}
TEAM: list[dict[str, Any]] = [
    {
        "name": "triage",
        "instructions": "You read the letter {first} 🚀 and hand it over.",
        "request": "A letter came: «Where is my money?» 株",
        "max_tokens": 111,
        "tools": [LOOKUP],
        "handoffs": ["refunds", "escalations"],
    },
    {
        "name": "refunds",
        "instructions": "You pay back what is due.",
        "request": "",
        "max_tokens": 222,
        "tools": [LOOKUP],
        "description": "Pays money back for an order.",
        "handoffs": ["escalations"],
    },
    {
        "name": "escalations",
        "instructions": "You write to the head of support.",
        "request": "",
        "max_tokens": 333,
        "description": "Takes what nobody else may decide.",
        "handoffs": ["triage"],
    },
]
ANSWER = "Done: the money is on its way. ✅"


def transfers(body: dict[str, Any]) -> list[str]:
    """The agents that the model may hand over to, by the tools that it is offered."""
    names = [tool["function"]["name"] for tool in body.get("tools") or ()]
    return [name.partition("_to_")[2] for name in names if "_to_" in name]


def _hand_over(number: int, body: dict[str, Any], target: str, content: str | None = None) -> Reply:
    names = [tool["function"]["name"] for tool in body["tools"]]
    name = next(name for name in names if name.endswith(f"_to_{target}"))
    return completion(number, content, [_call(number, name)])


def _call(number: int, name: str, arguments: dict[str, Any] | None = None, place: int = 0) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments or {})}
    return {"id": f"call-{number}-{place}", "type": "function", "function": function}


def _lookup(number: int) -> Reply:
    return completion(number, None, [_call(number, "lookup", {"order": f"A-{number}"})])


def _one_handoff(number: int, body: Any) -> Reply:
    return _hand_over(number, body, "refunds") if number == 1 else completion(number, ANSWER)


def _two_handoffs(number: int, body: Any) -> Reply:
    """As many as the plan allows, with tools on the way."""
    if number in (1, 3):
        return _lookup(number)
    if number in (2, 4):
        return _hand_over(number, body, "refunds" if number == 2 else "escalations")
    return completion(number, ANSWER)


def _endless_handoffs(number: int, body: Any) -> Reply:
    return _hand_over(number, body, transfers(body)[-1])


def _unknown_target(number: int, _: Any) -> Reply:
    if number == 1:
        return completion(number, None, [_call(number, "transfer_to_billing")])
    return completion(number, ANSWER)


def _two_targets(number: int, body: Any) -> Reply:
    if number > 1:
        return completion(number, ANSWER)
    names = [tool["function"]["name"] for tool in body["tools"] if "_to_" in tool["function"]["name"]]
    return completion(
        number, None, [_call(number, name, place=n) for n, name in enumerate(sorted(names)[::-1])]
    )


def _tool_and_handoff(number: int, body: Any) -> Reply:
    """A tool and a handoff in one answer."""
    if number > 1:
        return completion(number, ANSWER)
    name = next(
        tool["function"]["name"] for tool in body["tools"] if "_to_refunds" in tool["function"]["name"]
    )
    calls = [_call(number, "lookup", {"order": "A-1"}), _call(number, name, place=1)]
    return completion(number, "Let me look.", calls)


HANDOFF_SCRIPTS: dict[str, Callable[[int, Any], Reply]] = {
    "handoff_once": _one_handoff,
    "handoff_never": lambda number, _: completion(number, ANSWER),
    "handoff_twice": _two_handoffs,
    "handoff_endless": _endless_handoffs,
    "handoff_unknown_target": _unknown_target,
    "handoff_two_targets": _two_targets,
    "handoff_beside_tool": _tool_and_handoff,
    "handoff_endless_tools": lambda number, _: _lookup(number),
    "handoff_none_allowed": lambda number, _: _lookup(number),
    "handoff_equalised": _one_handoff,
    "handoff_empty_answer": lambda number, _: completion(number, ""),
    "handoff_error_500": lambda _, __: Reply(b'{"error": {"message": "broken"}}', status=500),
}


def handoff_changes(scenario: str) -> dict[str, Any]:
    """What such a request has of its own."""
    arm = "equalised" if scenario == "handoff_equalised" else "idiomatic"
    most = 0 if scenario == "handoff_none_allowed" else MAX_HANDOFFS
    return {"agents": TEAM, "pattern": "handoff", "max_handoffs": most, "arm": arm}
