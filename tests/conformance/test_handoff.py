"""The pattern "handoff" in every framework that knows it: the model decides, and the plan's bounds hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runtime_envs.catalog import FRAMEWORKS
from tests.conformance.handoff_scenarios import ANSWER, MAX_HANDOFFS, TEAM, transfers
from tests.conformance.scenarios import MAX_STEPS, MODEL, SEED, TEMPERATURE, TOOL_ANSWER
from tests.conformance.scripted_server import COMPLETION_TOKENS, PROMPT_TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.conftest import Process, Ran
    from tests.conformance.scripted_server import Asked

    Look = Callable[[str, str], Ran]

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600)]
HANDING_OVER = pytest.mark.parametrize(
    "name", [row.name for row in FRAMEWORKS.values() if "handoff" in row.patterns and row.name != "scripted"]
)
OTHERS = pytest.mark.parametrize(
    "name", [row.name for row in FRAMEWORKS.values() if "handoff" not in row.patterns]
)
INSTRUCTIONS = {agent["instructions"]: agent["name"] for agent in TEAM}


def _in_control(calls: list[Asked]) -> list[str]:
    """Whose instructions each request carries."""
    return [INSTRUCTIONS[asked.body["messages"][0]["content"]] for asked in calls]


def _outcome(result: Ran) -> dict[str, Any]:
    assert result.outcome is not None, result.message
    return result.outcome


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_catalogue_says_what_the_adapter_knows(name: str, in_environment: Callable[..., Process]) -> None:
    """The patterns in the catalogue's row are those that the adapter declares."""
    read = f"import frameworks.{name}.adapter as adapter; print('|'.join(adapter.PATTERNS))"
    process = in_environment(name, "timeit", "-n1", "-r1", read)
    assert process.returncode == 0, process.output[-3000:]
    assert "|".join(FRAMEWORKS[name].patterns) in process.output.splitlines()


@OTHERS
def test_an_adapter_without_the_pattern_refuses_it(name: str, ran: Look) -> None:
    """A pattern that the adapter does not know is an error before any model call."""
    result = ran(name, "handoff_once")
    assert (result.error, result.model_calls) == ("ValueError", [])
    assert "handoff" in result.message


@HANDING_OVER
def test_the_model_hands_over(name: str, ran: Look) -> None:
    """The agent that the model names goes on under its own instructions, tools and limit, and ends the run."""
    result = ran(name, "handoff_once")
    outcome = _outcome(result)
    assert (outcome["text"], outcome["agent_outputs"]) == (ANSWER, {"refunds": ANSWER})
    assert outcome["details"] == {"handoffs": ["refunds"]}
    assert _in_control(result.model_calls) == ["triage", "refunds"]
    assert [asked.body["max_tokens"] for asked in result.model_calls] == [111, 222]
    assert [sorted(transfers(asked.body)) for asked in result.model_calls] == [
        ["escalations", "refunds"],
        ["escalations"],
    ]


@HANDING_OVER
def test_who_goes_on_reads_the_letter(name: str, ran: Look) -> None:
    """Every agent reads the first request word for word, once, and no request of its own."""
    for asked in ran(name, "handoff_twice").model_calls:
        texts = [str(message.get("content")) for message in asked.body["messages"]]
        assert texts.count(TEAM[0]["request"]) == 1
        assert "" not in texts


@HANDING_OVER
def test_handoffs_are_described_in_the_plans_words(name: str, ran: Look) -> None:
    """What the model reads of each target is the target's own description, whatever a framework adds."""
    asked = ran(name, "handoff_once").model_calls[0]
    offered = {tool["function"]["name"]: tool["function"] for tool in asked.body["tools"]}
    assert offered.keys() - {"lookup"} == {
        f"{_verb(name)}_to_{agent}" for agent in ("refunds", "escalations")
    }
    for target in TEAM[1:]:
        described = offered[f"{_verb(name)}_to_{target['name']}"]
        assert target["description"] in described["description"]
        assert described["parameters"]["properties"] == {}


def _verb(name: str) -> str:
    return "handoff" if name == "agent_framework" else "transfer"


@HANDING_OVER
def test_what_the_next_agent_reads_of_earlier_tools(name: str, ran: Look) -> None:
    """The result of a tool called before the handoff is passed on by some frameworks, and not by the others."""
    told = ran(name, "handoff_twice").model_calls[2].body["messages"]
    passed_on = any(TOOL_ANSWER in str(message.get("content")) for message in told)
    assert passed_on == (name in {"direct", "langgraph", "openai_agents"})
    assert told[-1]["role"] in {"user", "tool"}


@HANDING_OVER
def test_nobody_has_to_hand_over(name: str, ran: Look) -> None:
    """Where the model answers at once, the first agent's answer is the outcome, after one call."""
    result = ran(name, "handoff_never")
    assert _outcome(result)["agent_outputs"] == {"triage": ANSWER}
    assert _outcome(result)["details"] == {"handoffs": []}
    assert len(result.model_calls) == 1


@HANDING_OVER
def test_tools_and_handoffs_take_turns(name: str, ran: Look) -> None:
    """As many handoffs as the plan allows are carried out, with tools executed in between, tokens counted."""
    result = ran(name, "handoff_twice")
    outcome = _outcome(result)
    assert outcome["details"] == {"handoffs": ["refunds", "escalations"]}
    assert _in_control(result.model_calls) == ["triage", "triage", "refunds", "refunds", "escalations"]
    assert [call.body for call in result.tool_calls] == [{"order": "A-1"}, {"order": "A-3"}]
    calls = len(result.model_calls)
    more = sum(range(1, calls + 1))
    counted = (outcome["native_prompt_tokens"], outcome["native_completion_tokens"])
    assert counted == (calls * PROMPT_TOKENS + more, calls * COMPLETION_TOKENS + more)


@HANDING_OVER
def test_a_loop_of_handoffs_reaches_the_limit(name: str, ran: Look) -> None:
    """Agents that hand over to each other without end are stopped after the plan's number of handoffs."""
    result = ran(name, "handoff_endless")
    assert result.error == "LimitReached", result.message
    assert len(result.model_calls) == MAX_HANDOFFS + 1


@HANDING_OVER
@pytest.mark.parametrize("scenario", ["handoff_endless_tools", "handoff_none_allowed"])
def test_endless_tools_reach_the_limit_of_a_turn(name: str, scenario: str, ran: Look) -> None:
    """An agent that only calls tools is stopped at the plan's number of model calls, also with no handoffs left."""
    result = ran(name, scenario)
    assert result.error == "LimitReached", result.message
    assert len(result.model_calls) == MAX_STEPS


@HANDING_OVER
def test_an_unknown_target_changes_nothing(name: str, ran: Look) -> None:
    """A handoff to nobody leaves control where it is: the model is told; OpenAI Agents ends the run instead."""
    result = ran(name, "handoff_unknown_target")
    if name == "openai_agents":
        assert result.error == "ModelBehaviorError"
        return
    assert _outcome(result)["agent_outputs"] == {"triage": ANSWER}
    assert _in_control(result.model_calls) == ["triage", "triage"]


@HANDING_OVER
def test_of_two_targets_one_goes_on(name: str, ran: Look) -> None:
    """Of two handoffs in one answer one is carried out, and one counts."""
    result = ran(name, "handoff_two_targets")
    [target] = _outcome(result)["details"]["handoffs"]
    assert _in_control(result.model_calls) == ["triage", target]


@HANDING_OVER
def test_a_tool_beside_a_handoff_is_executed(name: str, ran: Look) -> None:
    """Of a tool and a handoff in one answer both are carried out, and no call is passed on without its answer."""
    result = ran(name, "handoff_beside_tool")
    assert _in_control(result.model_calls) == ["triage", "refunds"]
    assert [call.body for call in result.tool_calls] == [{"order": "A-1"}]
    told = result.model_calls[1].body["messages"]
    asked = [call["id"] for message in told for call in message.get("tool_calls") or ()]
    answered = [message["tool_call_id"] for message in told if message["role"] == "tool"]
    assert answered == asked
    passed_on = any(TOOL_ANSWER in str(message.get("content")) for message in told)
    assert passed_on == (name in {"direct", "autogen", "openai_agents"})
    # Microsoft's ends on what triage said beside its calls.
    assert (told[-1]["role"] == "assistant") == (name == "agent_framework")


@HANDING_OVER
def test_parameters_hold_for_everybody(name: str, ran: Look) -> None:
    """Model, temperature and seed are on every request, whoever has control, and none is streamed."""
    for asked in ran(name, "handoff_twice").model_calls:
        sent = asked.body
        assert (sent["model"], sent["temperature"], sent["seed"]) == (MODEL, TEMPERATURE, SEED)
        assert not sent.get("stream")


@HANDING_OVER
def test_only_the_idiomatic_arm_hands_over(name: str, ran: Look) -> None:
    """The equalised arm is refused before any model call: how one hands over is the framework's own."""
    result = ran(name, "handoff_equalised")
    assert (result.error, result.model_calls) == ("ValueError", [])
    assert "equalised" in result.message


@HANDING_OVER
@pytest.mark.parametrize("scenario", ["handoff_empty_answer", "handoff_error_500"])
def test_failures_are_exceptions(name: str, scenario: str, ran: Look) -> None:
    """An answer without text and a server that fails end the run with an exception, after one call."""
    result = ran(name, scenario)
    assert result.outcome is None
    assert result.error not in {None, "LimitReached"}
    assert len(result.model_calls) == 1
