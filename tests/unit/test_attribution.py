"""Whose step a call is, read from the request alone."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cluster.attribution import attributed
from shared.calls import Call
from shared.contract import AgentSpec

AGENTS = (
    AgentSpec("researcher", 'You gather "facts".\nNever invent.', "List them.", 10),
    AgentSpec("writer", "You write.", "Write it.", 10),
)


def call(request: Any, kind: str = "model") -> Call:
    return Call.model_validate(
        {
            "sequence": 1,
            "kind": kind,
            "path": "/",
            "arrived_s": 0,
            "last_byte_s": 1,
            "status": 200,
            "request": request,
        }
    )


def chat(system: Any, *turns: str) -> Call:
    told = [{"role": "system", "content": system}, *({"role": "user", "content": turn} for turn in turns)]
    return call({"messages": told})


def agents_of(*calls: Call) -> list[str | None]:
    return [found.agent for found in attributed(calls, AGENTS)]


def test_the_system_text_says_whose_call_it_is() -> None:
    """Instructions count wherever a framework wraps them, as a string or as parts."""
    wrapped = f"You are researcher. Your goal is: {AGENTS[0].instructions}\nBegin!"
    parts = [{"type": "text", "text": AGENTS[1].instructions}]
    assert agents_of(chat(wrapped), chat(parts)) == ["researcher", "writer"]


def test_a_quoted_agent_does_not_count() -> None:
    """A conversation that carries an earlier agent's instructions belongs to the one in its system text."""
    assert agents_of(chat(AGENTS[1].instructions, AGENTS[0].instructions)) == ["writer"]


def test_instructions_outside_the_system_text_count_too() -> None:
    """A framework that sends no system message, or the Responses API, is recognised as well."""
    told = {"messages": [{"role": "user", "content": f"{AGENTS[0].instructions}\n\nList them."}]}
    responses = {"instructions": AGENTS[1].instructions, "input": "Write it."}
    assert agents_of(call(told), call(responses)) == ["researcher", "writer"]


def test_a_call_of_the_frameworks_own_has_no_agent() -> None:
    """A summary that a framework asks for by itself carries nobody's instructions."""
    assert agents_of(chat("Summarise this conversation.", "...")) == [None]


def test_a_tool_call_belongs_to_whoever_spoke_last() -> None:
    """Tool calls carry no instructions: they follow from the last model call."""
    found = agents_of(
        chat(AGENTS[0].instructions),
        call({"query": "x"}, "tool"),
        chat("Summarise."),
        call({"query": "y"}, "tool"),
    )
    assert found == ["researcher", "researcher", None, "researcher"]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["messages", "input", "role", "content"]), x),
    )
)
def test_any_request_is_looked_at(request: Any) -> None:
    """Whatever a client sends, attribution does not fail."""
    json.dumps(request)
    assert len(attributed([call(request)], AGENTS)) == 1
