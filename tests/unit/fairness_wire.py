"""Small experiments with all that frameworks put on the wire, clean, to be spoilt in one way at a time."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.fairness.examine import examine
from analysis.fairness.result import Fairness, Finding
from shared.brief import AgentBrief, Brief, answer_mark
from shared.calls import Call
from shared.plan import TaskPlan
from shared.records import RunKey, Status
from shared.store import Store
from tests.unit.stored_records import begun, run

MODEL, SEED, MAX_TOKENS = "model-under-test", 7, 400
AGENTS = ("researcher", "analyst", "writer")
INSTRUCTIONS = {
    "researcher": "You are a company researcher. You gather facts, and you never invent one.",
    "analyst": "You are a business analyst. You draw conclusions, and you give the reason for each.",
    "writer": "You are a business writer. You write clear reports in plain language. Zürich 📈",
}
SEARCH = {
    "name": "search",
    "description": "Look up facts. One topic for each call.",
    "parameters": {
        "type": "object",
        "properties": {"query": {"type": "string", "description": "The topic."}},
        "required": ["query"],
    },
}
RESULT = "Overview: founded in 2010 in Zürich, 1,200 staff.\n- It makes measuring instruments."

Messages = list[dict[str, Any]]
Style = Callable[[Brief, int, dict[str, str]], Messages]
"""Brief, number of the agent, earlier answers -> the messages of its first request."""
Spoil = Callable[[list[Call]], list[Call]]


def brief_of(item: str, *, tools: bool = False, user_turns: bool = True) -> Brief:
    agents = []
    for number, name in enumerate(AGENTS):
        request = (
            f"Do the {name}'s part on {item}.\n- Keep every name, number and date.\n- Say nothing twice."
        )
        earlier = [f"## {before}'s output\n\n{answer_mark(before)}" for before in AGENTS[:number]]
        agents.append(
            AgentBrief(
                name=name,
                instructions=INSTRUCTIONS[name],
                request=request,
                max_tokens=MAX_TOKENS + number,
                tools=[SEARCH] if tools and number == 0 else [],
                user_turn="\n\n".join([*earlier, request]) if user_turns else None,
            )
        )
    return Brief(task="t", item=item, agents=agents, model=MODEL, temperature=0, seed=SEED, max_steps=4)


def planned(brief: Brief, number: int, answers: dict[str, str]) -> Messages:
    """What everybody sends in the equalised arm."""
    agent = brief.agents[number]
    earlier = [f"## {name}'s output\n\n{answer}" for name, answer in answers.items()]
    return [
        {"role": "system", "content": agent.instructions},
        {"role": "user", "content": "\n\n".join([*earlier, agent.request])},
    ]


def conversation(brief: Brief, number: int, answers: dict[str, str]) -> Messages:
    """One conversation handed down the line: the published MS Agent Framework and AutoGen."""
    told: Messages = [{"role": "system", "content": brief.agents[number].instructions}]
    for agent in brief.agents[: number + 1]:
        told.append({"role": "user", "content": agent.request})
        if agent.name in answers:
            told.append({"role": "assistant", "content": answers[agent.name]})
    return told


def quoted(brief: Brief, number: int, answers: dict[str, str]) -> Messages:
    """The last output quoted in a user message: the published LangGraph."""
    agent = brief.agents[number]
    before = list(answers.values())[-1:]
    quotes = [f"Here is what your colleague found out:\n{answer}\nUse it well." for answer in before]
    return [
        {"role": "system", "content": agent.instructions},
        {"role": "user", "content": "\n".join([agent.request, *quotes])},
    ]


def body_of(brief: Brief, number: int, messages: Messages) -> dict[str, Any]:
    agent = brief.agents[number]
    body = {
        "model": MODEL,
        "messages": messages,
        "temperature": 0,
        "seed": SEED,
        "max_tokens": agent.max_tokens,
    }
    if agent.tools:
        body["tools"] = [{"type": "function", "function": tool} for tool in agent.tools]
    return body


def completion(text: str | None, calls: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = calls
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def model_call(body: Any, response: Any, agent: str | None, **fields: Any) -> Call:
    values: dict[str, Any] = {
        "sequence": 0,
        "kind": "model",
        "path": "/v1/chat/completions",
        "agent": agent,
        "client": "test/1",
        "arrived_s": 0.0,
        "last_byte_s": 1.0,
        "status": 200,
        "request": body,
        "response": response,
    }
    return Call(**values | fields)


def tool_call(query: str, agent: str = "researcher", result: str = RESULT) -> Call:
    return Call(
        sequence=0, kind="tool", path="/tools/search", agent=agent, arrived_s=0, last_byte_s=1,
        status=200, request={"query": query}, response=result,
    )  # fmt: skip


def answer_text(framework: str, item: str, iteration: int, agent: str) -> str:
    """Different in every run, as a model's answers are."""
    return (
        f"- {agent} of {framework} found on {item}, time {iteration}:\n- fact one\n- fact two is long enough."
    )


def calls_of(brief: Brief, key: RunKey, style: Style) -> list[Call]:
    """A run of the three agents; one that has a tool calls it twice in one answer first."""
    calls: list[Call] = []
    answers: dict[str, str] = {}
    for number, agent in enumerate(brief.agents):
        messages = style(brief, number, answers)
        if agent.tools:
            asked = [_asked(n) for n in (1, 2)]
            calls.append(model_call(body_of(brief, number, messages), completion(None, asked), agent.name))
            calls += [tool_call(f"topic {n}") for n in (1, 2)]
            results = [{"role": "tool", "tool_call_id": f"call-{n}", "content": RESULT} for n in (1, 2)]
            messages = [*messages, {"role": "assistant", "content": None, "tool_calls": asked}, *results]
        answers[agent.name] = answer_text(key.framework, brief.item, key.iteration, agent.name)
        body = body_of(brief, number, copy.deepcopy(messages))
        calls.append(model_call(body, completion(answers[agent.name]), agent.name))
    return calls


def _asked(number: int) -> dict[str, Any]:
    arguments = json.dumps({"query": f"topic {number}"})
    return {
        "id": f"call-{number}",
        "type": "function",
        "function": {"name": "search", "arguments": arguments},
    }


def experiment(
    folder: Path,
    *,
    styles: dict[str, Style] | None = None,
    spoil: dict[str, Spoil] | None = None,
    arms: tuple[str, ...] = ("equalised",),
    items: tuple[str, ...] = ("x", "y"),
    iterations: int = 1,
    tools: bool = False,
    briefs: bool = True,
    user_turns: bool = True,
    status: Status = Status.COMPLETED,
) -> Store:
    """Frameworks in their styles (default: all as planned), each run spoilt by `spoil[framework]`."""
    styles = styles or dict.fromkeys(("direct", "alpha", "beta"), planned)
    tasks = [TaskPlan(name="t", items=list(items))]
    store = begun(folder, frameworks=list(styles), arms=list(arms), tasks=tasks, iterations=iterations)
    position = 0
    for item in items:
        brief = brief_of(item, tools=tools, user_turns=user_turns)
        if briefs:
            store.write_brief(brief)
        for framework, style in styles.items():
            for arm in arms:
                for iteration in range(1, iterations + 1):
                    key = RunKey(framework=framework, arm=arm, task="t", item=item, iteration=iteration)
                    calls = calls_of(brief, key, style)
                    calls = (spoil or {}).get(framework, list)(calls)
                    calls = [call.model_copy(update={"sequence": n}) for n, call in enumerate(calls, 1)]
                    outputs = {n: answer_text(framework, item, iteration, n) for n in AGENTS}
                    record = run(
                        framework, key=key, status=status, position=position, agent_outputs=outputs,
                        text=outputs["writer"], attempt_id=key.run_id,
                    )  # fmt: skip
                    store.write_run(record, calls)
                    position += 1
    return store


def examined(folder: Path, **wanted: Any) -> Fairness:
    return examine(experiment(folder, **wanted))


def each_body(change: Callable[[dict[str, Any]], None], agent: str | None = None) -> Spoil:
    """Change the body of each model call, or of one agent's."""

    def spoil(calls: list[Call]) -> list[Call]:
        spoilt = []
        for call in calls:
            if call.kind == "model" and agent in (None, call.agent):
                body = copy.deepcopy(call.request)
                change(body)
                call = call.model_copy(update={"request": body})  # noqa: PLW2901 - the spoilt one
            spoilt.append(call)
        return spoilt

    return spoil


def codes(fairness: Fairness, framework: str | None = "alpha") -> list[str]:
    """Of what was found about one framework, each once."""
    return list(dict.fromkeys(f.code for f in fairness.findings if f.framework == framework))


def the(fairness: Fairness, code: str, framework: str | None = "alpha") -> Finding:
    [found] = [f for f in fairness.findings if (f.code, f.framework) == (code, framework)]
    return found
