"""Tools called by a real model: Qwen2.5-Coder-1.5B on the embedded server, with our chat template.

Its weights are opt-in (`levelfield envs build model-qwen2.5-coder-1.5b`): where they are not, this is skipped.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from cluster.servers import ModelServer, ServerOptions, open_server
from runtime_envs.build import available
from runtime_envs.models import MODELS, chat_template, model_file
from shared.store import Store
from shared.tasks.load_task import load_task
from shared.tools.search import search
from tests.functional.command import levelfield, research, write_plan
from tests.unit.test_chat_templates import OWN

MODEL = "qwen2.5-coder-1.5b"
HERE = {state.name for state in available() if state.built}
FRAMEWORKS = ["direct", "langgraph", "crewai", "autogen", "agent_framework", "openai_agents"]
QUERIES = ["overview", "leadership", "products", "news", "market", "financials"]
ANSWER_TIMEOUT_S = 300
"""The model reads 500 tokens and writes 160 in ten seconds on an idle machine, and in minutes on a busy one."""
PLAN_TIMEOUT_S = 1500

pytestmark = [
    pytest.mark.functional,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(MODELS[MODEL].environment not in HERE, reason="the model's weights are not here"),
]

TASK = load_task("company_research").limited(1)
AGENT = TASK.agents("stripe", "agent")[0]
ASKED = [{"role": "system", "content": AGENT.instructions}, {"role": "user", "content": AGENT.request}]
OFFERED = [{"type": "function", "function": asdict(tool)} for tool in AGENT.tools]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    yield from started(f"llamacpp:{MODEL}", tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    """The same file by its path, which is served with the model's own template."""
    yield from started(f"llamacpp:{model_file(MODEL)}", tmp_path_factory.mktemp("own"))


def started(setting: str, folder: Path) -> Iterator[ModelServer]:
    opened = open_server(setting, ServerOptions(folder, context_length=4096, timeout_s=120.0))
    opened.start()
    yield opened
    opened.stop()


def ask(server: ModelServer, path: str, body: dict[str, Any] | None = None) -> bytes:
    request = urllib.request.Request(
        server.base_url.removesuffix("/v1") + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S) as answer:
        content: bytes = answer.read()
    return content


def prompt(server: ModelServer, messages: list[Any], **extra: Any) -> str:
    text: str = json.loads(ask(server, "/apply-template", {"messages": messages, **extra}))["prompt"]
    return text


def body(messages: list[Any], **extra: Any) -> dict[str, Any]:
    return {"messages": messages, "temperature": 0, "seed": 7, "max_tokens": 256, **extra}


def chat(server: ModelServer, messages: list[Any], **extra: Any) -> dict[str, Any]:
    """The whole answer."""
    said: dict[str, Any] = json.loads(ask(server, "/v1/chat/completions", body(messages, **extra)))
    return said


def streamed_calls(server: ModelServer, messages: list[Any], **extra: Any) -> tuple[list[str], str]:
    """The arguments of the tool calls that a stream adds up to, and its finish reason."""
    content = ask(server, "/v1/chat/completions", body(messages, stream=True, **extra))
    lines = [
        line.removeprefix("data: ") for line in content.decode().splitlines() if line.startswith("data: ")
    ]
    arguments: dict[int, str] = {}
    finish = ""
    for choice in (json.loads(line)["choices"][0] for line in lines if line != "[DONE]"):
        for part in choice["delta"].get("tool_calls", ()):
            so_far = arguments.setdefault(part["index"], "")
            arguments[part["index"]] = so_far + part["function"].get("arguments", "")
        finish = choice.get("finish_reason") or finish
    return [arguments[n] for n in sorted(arguments)], finish


def call(number: int, query: str) -> dict[str, Any]:
    function = {"name": "search", "arguments": json.dumps({"query": query})}
    return {"id": f"call-{number}", "type": "function", "function": function}


def result(number: int, query: str) -> dict[str, Any]:
    data = TASK.toolbox("stripe").data
    return {
        "role": "tool",
        "tool_call_id": f"call-{number}",
        "content": search(data, {"query": query}),
    }


SEARCHED = [
    *ASKED,
    {"role": "assistant", "content": None, "tool_calls": [call(n, query) for n, query in enumerate(QUERIES)]},
    *(result(n, query) for n, query in enumerate(QUERIES)),
]


def test_without_tools_nothing_is_changed(server: ModelServer, own: ModelServer) -> None:
    """The template in the model's file is the one that ours is held against, and tool-free answers are bit-identical."""
    assert json.loads(ask(own, "/props"))["chat_template"] == OWN.read_text(encoding="utf-8")
    conversations: list[list[dict[str, Any]]] = [
        ASKED,
        [{"role": "user", "content": "Hi."}],
        [{"role": "user", "content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]}],
        [
            *ASKED,
            {"role": "assistant", "content": "Yes."},
            {"role": "user", "name": "writer", "content": "Go."},
        ],
    ]
    for messages in conversations:
        assert prompt(server, messages) == prompt(own, messages)
    first, second = (chat(one, ASKED, max_tokens=24) for one in (server, own))
    assert first["choices"] == second["choices"]
    assert first["usage"] == second["usage"]


def test_its_identity_names_the_template(server: ModelServer, own: ModelServer) -> None:
    """Ours has a digest in the flags, so that experiments with and without it are never pooled."""
    path = chat_template(MODEL)
    assert path
    flags = server.identity().flags
    assert flags["chat_template"].startswith(f"{path.name} sha256:")
    assert flags["chat_template_shows_tools"] is True
    assert own.identity().flags["chat_template"] == "the model's own"


def test_calls_come_back_as_tool_calls(server: ModelServer) -> None:
    """Asked to search, it calls the tool with arguments that are JSON, and a stream says the same."""
    choice = chat(server, ASKED, tools=OFFERED)["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    calls = choice["message"]["tool_calls"]
    assert {asked["function"]["name"] for asked in calls} == {"search"}
    plain = [asked["function"]["arguments"] for asked in calls]
    assert [json.loads(arguments)["query"] for arguments in plain] == QUERIES
    assert len({asked["id"] for asked in calls}) == len(calls)
    assert streamed_calls(server, ASKED, tools=OFFERED) == (plain, "tool_calls")


def test_results_end_in_a_text(server: ModelServer) -> None:
    """Given the results, it answers in text with what they say, and calls nothing more."""
    choice = chat(server, SEARCHED, tools=OFFERED)["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert not choice["message"].get("tool_calls")
    assert "Collison" in choice["message"]["content"]
    assert "$1.4 trillion" in choice["message"]["content"]


def test_frameworks_ways_to_write_the_same_messages(server: ModelServer) -> None:
    """Content null, empty or left out, names, and text in parts are one prompt."""
    asking = {"role": "assistant", "tool_calls": [call(0, "news")]}
    told = result(0, "news")
    parts = [{"type": "text", "text": told["content"]}]
    ways = [
        [{**asking, "content": None}, told],
        [{**asking, "content": ""}, told],
        [asking, told],
        [{**asking, "content": None, "name": "researcher"}, {**told, "name": "search"}],
        [{**asking, "content": None}, {**told, "content": parts}],
    ]
    prompts = {prompt(server, [*ASKED, *way], tools=OFFERED) for way in ways}
    assert len(prompts) == 1
    assert told["content"] in prompts.pop()


def test_a_model_that_goes_on_calling_is_stopped_in_every_framework(tmp_path: Path) -> None:
    """With one model call allowed, the real model's first tool calls end each run as limit_reached, after one call."""
    plan = write_plan(
        tmp_path / "plan.yaml",
        frameworks=FRAMEWORKS,
        tasks=research("stripe"),
        tools="agent",
        limits={"facts_per_query": 1, "max_tokens": {"researcher": 256}, "max_steps": 1},
        disturbance={"attempts": 1},
        probes=False,
        settings={"llm_model": f"llamacpp:{MODEL}"},
    )
    with levelfield("run", plan, "--out", tmp_path / "out", folder=tmp_path) as command:
        command.wait(PLAN_TIMEOUT_S)
    ended = {record.key.framework: record for record in Store(tmp_path / "out").runs()}
    assert {name: record.status for name, record in ended.items()} == dict.fromkeys(
        FRAMEWORKS, "limit_reached"
    )
    assert {name: record.model_calls for name, record in ended.items()} == dict.fromkeys(FRAMEWORKS, 1)
    assert all(record.tool_calls <= len(QUERIES) for record in ended.values())
