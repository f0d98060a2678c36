"""One suite for every adapter, each in its own real environment against a scripted server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runtime_envs.catalog import FRAMEWORKS
from tests.conformance.scenarios import (
    AGENTS,
    ANSWERS,
    BROKEN,
    FAILURES,
    HANG_S,
    MAX_STEPS,
    MODEL,
    SEARCH,
    SEED,
    TEMPERATURE,
    TOOL_ANSWER,
    request_for,
)
from tests.conformance.scripted_server import COMPLETION_TOKENS, PROMPT_TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conformance.conftest import Process, Ran
    from tests.conformance.scripted_server import Asked, ScriptedServer

    Look = Callable[[str, str], Ran]

# The first test of an adapter may build its environment.
pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600)]
EVERY = pytest.mark.parametrize("name", FRAMEWORKS)
WITH_MODEL = pytest.mark.parametrize("name", [name for name in FRAMEWORKS if name != "scripted"])
RETRIES_OF_ITS_OWN = {("crewai", "error_429"): 3}
"""CrewAI asks three times when it is told that the server is busy, and has no setting for it."""


def _messages(asked: Asked) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = asked.body["messages"]
    return messages


def _text(asked: Asked) -> str:
    return "\n".join(str(message.get("content")) for message in _messages(asked))


def _split_by_calls(asked: Asked) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Messages that ask for tools, and the answers of the tools."""
    messages = _messages(asked)
    return (
        [message for message in messages if message.get("tool_calls")],
        [message for message in messages if message["role"] == "tool"],
    )


def _tokens(calls: int) -> tuple[int, int]:
    """What the server reported for its first calls of a run."""
    numbers = range(1, calls + 1)
    return sum(PROMPT_TOKENS + n for n in numbers), sum(COMPLETION_TOKENS + n for n in numbers)


@EVERY
def test_outcome_is_complete(name: str, ran: Look) -> None:
    """The outcome's text is the last agent's answer, and every agent's answer is kept by name in order."""
    outcome = ran(name, "plain").outcome
    assert outcome is not None, ran(name, "plain").message
    assert list(outcome["agent_outputs"]) == [agent["name"] for agent in AGENTS]
    assert outcome["text"] == outcome["agent_outputs"]["writer"]
    if name != "scripted":
        assert list(outcome["agent_outputs"].values()) == ANSWERS


@WITH_MODEL
def test_agents_are_asked_in_order(name: str, ran: Look) -> None:
    """There are three calls, one per agent in order, each with its instructions and request word for word."""
    calls = ran(name, "plain").model_calls
    assert len(calls) == len(AGENTS)
    for asked, agent in zip(calls, AGENTS, strict=True):
        system = _messages(asked)[0]
        assert system["role"] == "system"
        assert agent["instructions"] in system["content"]
        assert agent["request"] in _messages(asked)[-1]["content"]


@WITH_MODEL
def test_parameters_reach_the_wire(name: str, ran: Look) -> None:
    """Model, temperature, seed and the agent's own token limit are on each request, and none is streamed."""
    for asked, agent in zip(ran(name, "plain").model_calls, AGENTS, strict=True):
        sent = asked.body
        assert (sent["model"], sent["temperature"], sent["seed"]) == (MODEL, TEMPERATURE, SEED)
        assert sent["max_tokens"] == agent["max_tokens"]
        assert not sent.get("stream")
        assert not sent.get("tools")


@WITH_MODEL
def test_later_agents_see_earlier_answers(name: str, ran: Look) -> None:
    """Each agent is shown what all the agents before it answered, and nothing of those after it."""
    for number, asked in enumerate(ran(name, "plain").model_calls):
        seen = [answer in _text(asked) for answer in ANSWERS]
        assert seen == [True] * number + [False] * (len(ANSWERS) - number)


@WITH_MODEL
@pytest.mark.parametrize(
    "scenario", ["plain", "equalised", "one_tool_call", "two_calls_at_once", "equalised_tool_call"]
)
def test_no_request_ends_on_an_assistant_turn(name: str, scenario: str, ran: Look) -> None:
    """No request ends on an assistant turn, which some servers continue rather than answer."""
    calls = ran(name, scenario).model_calls
    assert calls
    assert {_messages(asked)[-1]["role"] for asked in calls} <= {"user", "tool"}


@WITH_MODEL
def test_native_tokens_are_what_the_server_counted(name: str, ran: Look) -> None:
    """The framework's own count of tokens is the sum of what the server reported, with and without tools."""
    for scenario, calls in (("plain", 3), ("one_tool_call", 4)):
        outcome = ran(name, scenario).outcome
        assert outcome is not None
        counted = (outcome["native_prompt_tokens"], outcome["native_completion_tokens"])
        assert counted == _tokens(calls)


@WITH_MODEL
def test_every_call_uses_the_runs_own_path(name: str, ran: Look) -> None:
    """Every model call goes to the chat completions below the run's own base path."""
    paths = {asked.path for asked in ran(name, "plain").model_calls}
    assert paths == {f"/{name}/plain/v1/chat/completions"}


@WITH_MODEL
def test_equalised_messages_are_the_same_from_everybody(name: str, ran: Look) -> None:
    """In the equalised arm the messages on the wire are the plan's own, to the letter."""
    for number, (asked, agent) in enumerate(zip(ran(name, "equalised").model_calls, AGENTS, strict=True)):
        earlier = [f"## {AGENTS[n]['name']}'s output\n\n{ANSWERS[n]}" for n in range(number)]
        assert _messages(asked) == [
            {"role": "system", "content": agent["instructions"]},
            {"role": "user", "content": "\n\n".join([*earlier, str(agent["request"])])},
        ]


@EVERY
def test_unknown_arm_is_refused(name: str, ran: Look) -> None:
    """An arm that the adapter does not know is an error before any model call."""
    result = ran(name, "unknown_arm")
    assert result.error == "ValueError"
    assert "sideways" in result.message
    assert not result.model_calls


@WITH_MODEL
@pytest.mark.parametrize("scenario", FAILURES)
def test_model_failures_are_exceptions(name: str, scenario: str, ran: Look) -> None:
    """A server that fails, is busy, hangs or talks nonsense ends the run with an exception, and soon."""
    result = ran(name, scenario)
    assert result.outcome is None
    assert result.error is not None
    assert result.seconds < HANG_S


@WITH_MODEL
@pytest.mark.parametrize("scenario", ["error_500", "error_429", "hanging"])
def test_nothing_is_retried(name: str, scenario: str, ran: Look) -> None:
    """A failed call is not made again, but for the retries that a framework has no setting for."""
    expected = RETRIES_OF_ITS_OWN.get((name, scenario), 1)
    assert len(ran(name, scenario).model_calls) == expected


@WITH_MODEL
def test_tool_call_is_executed_through_the_gateway(name: str, ran: Look) -> None:
    """A tool that the model calls is run at the run's own tools address, and the model reads its answer."""
    result = ran(name, "one_tool_call")
    assert result.outcome is not None, result.message
    assert list(result.outcome["agent_outputs"].values()) == ANSWERS
    [tool_call] = result.tool_calls
    assert tool_call.path == f"/{name}/one_tool_call/tools/search"
    assert tool_call.body == {"query": "overview 1 日本"}
    assert len(result.model_calls) == len(AGENTS) + 1
    told = [message for message in _messages(result.model_calls[1]) if message["role"] == "tool"]
    assert [message["tool_call_id"] for message in told] == ["call-1"]
    assert TOOL_ANSWER in told[0]["content"]


@WITH_MODEL
def test_tools_asked_for_at_once_are_all_executed(name: str, ran: Look) -> None:
    """Each of several calls in one answer is run once, and their answers follow in the order of the calls."""
    result = ran(name, "two_calls_at_once")
    assert result.outcome is not None, result.message
    # Some frameworks run them side by side, so they may arrive in any order.
    assert sorted(call.body["query"] for call in result.tool_calls) == ["overview 1 日本", "overview 2 日本"]
    assert len(result.model_calls) == len(AGENTS) + 1
    [asked], told = _split_by_calls(result.model_calls[1])
    assert [call["id"] for call in asked["tool_calls"]] == ["call-1", "call-2"]
    assert [message["tool_call_id"] for message in told] == ["call-1", "call-2"]


@WITH_MODEL
def test_equalised_messages_with_tools(name: str, ran: Look) -> None:
    """In the equalised arm a tool call and its answer follow the plan's own messages, in every framework."""
    first, second, analyst, _ = ran(name, "equalised_tool_call").model_calls
    plans_own = [
        {"role": "system", "content": AGENTS[0]["instructions"]},
        {"role": "user", "content": AGENTS[0]["request"]},
    ]
    assert _messages(first) == plans_own
    assert _messages(second)[:2] == plans_own
    asked, told = _messages(second)[2:]
    # LangGraph writes the arguments anew: the same JSON in other characters.
    call = {**asked["tool_calls"][0]["function"]}
    assert json.loads(call.pop("arguments")) == {"query": "overview 1 日本"}
    assert call == {"name": "search"}
    assert asked.keys() - {"content"} == {"role", "tool_calls"}
    assert asked.get("content") is None
    assert told == {"role": "tool", "tool_call_id": "call-1", "content": TOOL_ANSWER}
    assert _messages(analyst) == [
        {"role": "system", "content": AGENTS[1]["instructions"]},
        {"role": "user", "content": f"## researcher's output\n\n{ANSWERS[0]}\n\n{AGENTS[1]['request']}"},
    ]


@WITH_MODEL
def test_equalised_tools_are_described_alike(name: str, ran: Look) -> None:
    """In the equalised arm the model reads the tool as the plan describes it; CrewAI forbids other arguments."""
    [offered] = ran(name, "equalised_tool_call").model_calls[0].body["tools"]
    said = {key: value for key, value in offered["function"].items() if key != "strict"}
    parameters = dict(SEARCH["parameters"])
    if name == "crewai":
        parameters["additionalProperties"] = False
    assert said == SEARCH | {"parameters": parameters}


@WITH_MODEL
def test_a_call_with_broken_arguments_ends_the_run(name: str, ran: Look) -> None:
    """Arguments that are no JSON, sent back to a server that refuses them, are an exception within two calls."""
    result = ran(name, "broken_call")
    assert result.outcome is None
    assert result.error not in {None, "LimitReached"}
    assert len(result.model_calls) <= 2
    # Whoever leaves them to the gateway passes them on as they are; nobody makes something up.
    assert [call.body for call in result.tool_calls] in ([], [BROKEN])


@WITH_MODEL
def test_a_call_of_a_tool_that_is_not_there(name: str, ran: Look) -> None:
    """The model is told, once, and answers; OpenAI Agents ends the run instead, and so says its exception."""
    result = ran(name, "call_of_no_tool")
    if name == "openai_agents":
        assert result.error == "ModelBehaviorError"
        return
    assert result.outcome is not None, result.message
    assert len(result.model_calls) == len(AGENTS) + 1
    assert all(call.path.endswith("/lookup") for call in result.tool_calls)


@WITH_MODEL
def test_tool_is_described_as_the_plan_says(name: str, ran: Look) -> None:
    """The tool's name, description and arguments reach the model, for the agent that has it and no other."""
    calls = ran(name, "one_tool_call").model_calls
    [offered] = calls[0].body["tools"]
    function = offered["function"]
    assert function["name"] == SEARCH["name"]
    assert str(SEARCH["description"]) in function["description"]
    [(argument, schema)] = function["parameters"]["properties"].items()
    assert (argument, schema["type"]) == ("query", "string")
    assert schema["description"] == "What to look up."
    assert function["parameters"]["required"] == ["query"]
    assert not any(asked.body.get("tools") for asked in calls[2:])


@WITH_MODEL
def test_endless_tool_calls_reach_the_limit(name: str, ran: Look) -> None:
    """A model that never stops calling tools is stopped at the plan's number of model calls."""
    result = ran(name, "endless_tool_calls")
    assert result.error == "LimitReached", result.message
    assert len(result.model_calls) == MAX_STEPS
    assert len(result.tool_calls) <= MAX_STEPS


@EVERY
def test_earlier_runs_leave_no_trace(name: str, ran: Look) -> None:
    """After every failure above in the same process, the same request gives the same calls and outcome."""
    first, again = ran(name, "plain"), ran(name, "again")
    assert again.outcome == first.outcome
    assert [asked.body for asked in again.model_calls] == [asked.body for asked in first.model_calls]


@EVERY
def test_nothing_else_is_contacted(
    name: str, all_scenarios: Callable[[str], tuple[Process, dict[str, Any]]]
) -> None:
    """Through all scenarios no address outside this machine is looked up or connected to."""
    process, _ = all_scenarios(name)
    assert process.contacted == ""


def test_guard_sees_what_leaves_the_machine(in_environment: Callable[..., Process]) -> None:
    """The guard that the test above relies on does refuse and note an address outside this machine."""
    reach_out = "import socket; socket.create_connection(('192.0.2.1', 80), 1)"  # an address for examples
    process = in_environment("scripted", "timeit", "-n1", "-r1", reach_out)
    assert process.returncode != 0
    assert "192.0.2.1" in process.contacted


@EVERY
def test_adapter_runs_alone(
    name: str, server: ScriptedServer, in_environment: Callable[..., Process], tmp_path: Path
) -> None:
    """`python -m frameworks.<name>` runs the adapter against any address and prints its outcome last."""
    request = tmp_path / "request.json"
    asked = request_for(server.address, name, "plain") | {"base_url": "http://127.0.0.1:9/v1"}
    request.write_text(json.dumps(asked), encoding="utf-8")
    base_url = f"{server.address}/{name}-alone/plain/v1"
    process = in_environment(name, f"frameworks.{name}", "--request", str(request), "--base-url", base_url)
    assert process.returncode == 0, process.output[-3000:]
    outcome = json.loads(process.output.strip().splitlines()[-1])
    assert outcome["text"] == outcome["agent_outputs"]["writer"]
    assert len(server.model_calls[f"{name}-alone/plain"]) == (0 if name == "scripted" else len(AGENTS))
