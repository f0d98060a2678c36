"""What each adapter is put through: the request it gets, and how the model server answers it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.conformance.handoff_scenarios import HANDOFF_SCRIPTS, handoff_changes
from tests.conformance.scripted_server import Reply, completion

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = "model-under-test"
TEMPERATURE = 0.0
SEED = 20261
REQUEST_TIMEOUT_S = 10.0
SHORT_TIMEOUT_S = 1.0
HANG_S = 5.0
MAX_STEPS = 3
BROKEN = '{"query": "over'
TOOL_ANSWER = "Founded in 2010 in Zürich. 📈"

SEARCH: dict[str, Any] = {
    "name": "search",
    "description": "Looks up one kind of fact.",
    "parameters": {
        "type": "object",
        "properties": {"query": {"type": "string", "description": "What to look up."}},
        "required": ["query"],
    },
}
# Awkward on purpose: other scripts, emoji, quotes, and braces that a template engine would trip over.
AGENTS = [
    {
        "name": "researcher",
        "instructions": 'You gather facts on "Zürich" 株式会社 🚀.\nNever invent {figures} or {{names}}.',
        "request": "Facts at hand:\n- founded in 2010 <b>here</b>\n- 1,200 staff\nList them. {company}",
        "max_tokens": 111,
    },
    {
        "name": "analyst",
        "instructions": "You weigh strengths and risks — soberly.",
        "request": "Say what the facts mean; 50 % of the mark is for `reasons`.",
        "max_tokens": 222,
    },
    {
        "name": "writer",
        "instructions": "You write reports.\n\nUse headings.",
        "request": "Write the report in six sections. Ω",
        "max_tokens": 333,
    },
]
ANSWERS = [
    "- 2010, Zürich 🏔\n- {staff}: 1,200",
    "Strong: «Grösse». Weak: 株価.",
    "# Report\n\nAll is well. ✅",
]


def _answers(number: int, _: Any) -> Reply:
    return completion(number, ANSWERS[(number - 1) % len(ANSWERS)])


def _call(number: int, arguments: str | None = None, tool: str = "search") -> list[dict[str, Any]]:
    # The query changes, for a framework that would stop a repeated call by itself.
    said = json.dumps({"query": f"overview {number} 日本"}) if arguments is None else arguments
    return [{"id": f"call-{number}", "type": "function", "function": {"name": tool, "arguments": said}}]


def _one_tool_call(number: int, _: Any) -> Reply:
    if number == 1:
        return completion(number, None, _call(number))
    return completion(number, ANSWERS[number - 2])


def _two_calls_at_once(number: int, _: Any) -> Reply:
    """One answer may ask for several tools, and may hold text besides."""
    if number == 1:
        calls = [{**_call(n)[0], "id": f"call-{n}"} for n in (1, 2)]
        return completion(number, "Let me look.", calls)
    return completion(number, ANSWERS[number - 2])


def _broken_call(number: int, body: Any) -> Reply:
    """Arguments that are no JSON, from a server that refuses to be sent them back, as llama.cpp does."""
    if any(_arguments(message) == BROKEN for message in body["messages"]):
        return Reply(b'{"error": {"message": "Failed to parse tool call arguments as JSON"}}', status=500)
    if number == 1:
        return completion(number, None, _call(number, BROKEN))
    return completion(number, ANSWERS[(number - 2) % len(ANSWERS)])


def _call_of_no_tool(number: int, _: Any) -> Reply:
    if number == 1:
        return completion(number, None, _call(number, tool="lookup"))
    return completion(number, ANSWERS[number - 2])


def _arguments(message: dict[str, Any]) -> str | None:
    calls = message.get("tool_calls")
    return calls[0]["function"]["arguments"] if calls else None


def _endless_tool_calls(number: int, _: Any) -> Reply:
    return completion(number, None, _call(number))


SCRIPTS: dict[str, Callable[[int, Any], Reply]] = {
    "plain": _answers,
    "equalised": _answers,
    "unknown_arm": _answers,
    "error_500": lambda _, __: Reply(b'{"error": {"message": "broken"}}', status=500),
    "error_429": lambda _, __: Reply(b'{"error": {"message": "busy"}}', status=429),
    "hanging": lambda number, _: Reply(completion(number, "late").body, delay_s=HANG_S),
    "empty_answer": lambda number, _: completion(number, ""),
    "no_choices": lambda number, _: completion(number, None, choices=[]),
    "malformed": lambda _, __: Reply(b'{"choices": [{"mess'),
    "one_tool_call": _one_tool_call,
    "equalised_tool_call": _one_tool_call,
    "endless_tool_calls": _endless_tool_calls,
    "two_calls_at_once": _two_calls_at_once,
    "broken_call": _broken_call,
    "call_of_no_tool": _call_of_no_tool,
    **HANDOFF_SCRIPTS,
    # Last, after every failure above in the same process.
    "again": _answers,
}
FAILURES = ("error_500", "error_429", "hanging", "empty_answer", "no_choices", "malformed")
CHANGES: dict[str, dict[str, Any]] = {
    "equalised": {"arm": "equalised"},
    "equalised_tool_call": {"arm": "equalised"},
    "unknown_arm": {"arm": "sideways"},
    "hanging": {"request_timeout_s": SHORT_TIMEOUT_S},
    **{scenario: handoff_changes(scenario) for scenario in HANDOFF_SCRIPTS},
}


def request_for(address: str, framework: str, scenario: str) -> dict[str, Any]:
    """A `RunRequest` as JSON."""
    run = f"{address}/{framework}/{scenario}"
    agents = [dict(agent) for agent in AGENTS]
    if "call" in scenario:
        agents[0]["tools"] = [SEARCH]
    return {
        "run_id": scenario,
        "base_url": f"{run}/v1",
        "tools_url": f"{run}/tools",
        "model": MODEL,
        "agents": agents,
        "temperature": TEMPERATURE,
        "seed": SEED,
        "request_timeout_s": REQUEST_TIMEOUT_S,
        "max_steps": MAX_STEPS,
    } | CHANGES.get(scenario, {})
