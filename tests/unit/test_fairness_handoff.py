"""The proof of equal treatment where the model decides who goes on: what is planned, and what is the framework's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.fairness.examine import examine
from analysis.fairness.result import Fairness
from shared.brief import AgentBrief, Brief
from shared.calls import Call
from shared.plan import TaskPlan
from shared.records import RunKey, Status
from tests.unit.fairness_wire import MODEL, SEARCH, SEED, completion, model_call, the, tool_call
from tests.unit.stored_records import begun, run

LETTER = "A letter has come in about order A-1001: please pay the money back."
TRIAGE, REFUNDS = "You read letters and hand them over.", "You decide on refunds and pay them."
ANSWER = "The refund of 49.90 EUR was paid and the customer was told about it."
Change = Callable[[list[dict[str, Any]]], None]


def brief(max_handoffs: int) -> Brief:
    agents = [
        AgentBrief(
            name="triage",
            instructions=TRIAGE,
            request=LETTER,
            max_tokens=50,
            handoffs=["refunds"],
            user_turn=LETTER,
        ),
        AgentBrief(
            name="refunds",
            instructions=REFUNDS,
            request="",
            max_tokens=80,
            tools=[SEARCH],
            description="Pays.",
            user_turn="",
        ),
        AgentBrief(name="others", instructions="You take all else.", request="", max_tokens=90, user_turn=""),
    ]
    return Brief(
        task="t",
        item="x",
        agents=agents,
        model=MODEL,
        temperature=0,
        seed=SEED,
        max_steps=1,
        max_handoffs=max_handoffs,
    )


def asked(name: str, call_id: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": "{}"}}


def body(instructions: str, max_tokens: int, told: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Any:
    messages = [{"role": "system", "content": instructions}, {"role": "user", "content": LETTER}, *told]
    return {
        "model": MODEL,
        "messages": copy.deepcopy(messages),
        "temperature": 0,
        "seed": SEED,
        "max_tokens": max_tokens,
        "tools": [{"type": "function", "function": tool} for tool in tools],
    }


def handed_over(verb: str) -> list[Call]:
    """Triage hands over; refunds searches and answers."""
    transfer = {"name": f"{verb}_to_refunds", "description": "Pays.", "parameters": {"type": "object"}}
    call = asked(f"{verb}_to_refunds", "h-1")
    told: list[dict[str, Any]] = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "h-1", "content": "You are refunds now."},
    ]
    search = {**asked("search", "s-1"), "function": {"name": "search", "arguments": '{"query": "topic 1"}'}}
    result = tool_call("topic 1", "refunds")
    found = [
        *told,
        {"role": "assistant", "content": None, "tool_calls": [search]},
        {"role": "tool", "tool_call_id": "s-1", "content": result.response},
    ]
    return [
        model_call(body(TRIAGE, 50, [], [transfer]), completion(None, [call]), "triage"),
        model_call(body(REFUNDS, 80, told, [SEARCH]), completion(None, [search]), "refunds"),
        result,
        model_call(body(REFUNDS, 80, found, [SEARCH]), completion(ANSWER), "refunds"),
    ]


def examined(
    folder: Path, spoil: Callable[[list[Call]], list[Call]] = list, max_handoffs: int = 2
) -> Fairness:
    """`direct` as planned, `alpha` with a tool of another name, spoilt."""
    store = begun(folder, frameworks=["direct", "alpha"], tasks=[TaskPlan(name="t", items=["x"])])
    store.write_brief(brief(max_handoffs))
    for position, framework in enumerate(("direct", "alpha")):
        key = RunKey(framework=framework, arm="idiomatic", task="t", item="x", iteration=1)
        calls = handed_over("transfer") if framework == "direct" else spoil(handed_over("handoff"))
        calls = [call.model_copy(update={"sequence": n}) for n, call in enumerate(calls, 1)]
        record = run(
            framework, key=key, status=Status.COMPLETED, position=position,
            agent_outputs={"refunds": ANSWER}, text=ANSWER, attempt_id=key.run_id,
        )  # fmt: skip
        store.write_run(record, calls)
    return examine(store)


def changed(number: int, change: Callable[[Any], None]) -> Callable[[list[Call]], list[Call]]:
    """Change the request of the number-th call."""

    def spoil(calls: list[Call]) -> list[Call]:
        request = copy.deepcopy(calls[number].request)
        change(request)
        calls[number] = calls[number].model_copy(update={"request": request})
        return calls

    return spoil


def violations(fairness: Fairness) -> list[str]:
    return [finding.code for finding in fairness.findings if finding.severity == "violation"]


def test_handing_over_as_planned_breaks_no_rule(tmp_path: Path) -> None:
    """A tool of either name that hands over is planned, its answer is no tool's, and nobody must be chosen."""
    assert violations(examined(tmp_path)) == []


def test_requests_beyond_all_turns_are_found(tmp_path: Path) -> None:
    """An agent may make a turn's model calls in each turn there may be, and no more."""
    # One call per turn: the second one of refunds needs a second turn.
    assert violations(examined(tmp_path, max_handoffs=0)) == ["limit_differs"] * 2


def test_a_handoff_that_is_not_offered_is_found(tmp_path: Path) -> None:
    """A framework that does not offer a planned handoff treats the model otherwise."""
    fairness = examined(tmp_path, changed(0, lambda request: request.pop("tools")))
    assert "no handing over to refunds is offered" in the(fairness, "tools_differ").text


def test_a_handoff_that_nobody_planned_is_found(tmp_path: Path) -> None:
    """A way of handing over beyond the plan is an unplanned tool."""
    more = {"name": "handoff_to_others", "description": "", "parameters": {"type": "object"}}
    fairness = examined(
        tmp_path,
        changed(0, lambda request: request["tools"].append({"type": "function", "function": more})),
    )
    assert "handoff_to_others is offered unplanned" in the(fairness, "tools_differ").text


def test_a_changed_result_is_still_found(tmp_path: Path) -> None:
    """What a tool of the plan answered must be passed on word for word, after a handoff as before one."""
    fairness = examined(
        tmp_path, changed(3, lambda request: request["messages"][-1].update(content="Overview: nothing."))
    )
    assert the(fairness, "tool_results_differ")


def test_the_first_agent_must_be_asked(tmp_path: Path) -> None:
    """A run that never asked the agent which starts has left a step out; one that nobody chose has not."""
    fairness = examined(tmp_path, lambda calls: calls[1:])
    assert "the triage's whole step" in the(fairness, "prompt_missing").text
