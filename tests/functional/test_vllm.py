"""A real vLLM on the CPU, started by Levelfield: `make vllm`. Minutes, and 6 GB of packages."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.servers import ModelServer, ServerOptions, TokenCounters, VllmOptions, growth, open_server
from shared.store import Store
from tests.functional.command import levelfield, research, write_plan
from tests.unit.ended import kill_program_of, wait_until_gone

INTERPRETER = os.environ.get("LEVELFIELD_VLLM_PYTHON", "")
CONTEXT_LENGTH = 16_384
START_S = 1200
"""A minute on an idle machine, and ten on one whose two cores many share."""

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.timeout(2 * START_S),
    pytest.mark.skipif(not INTERPRETER, reason="LEVELFIELD_VLLM_PYTHON is not set: make vllm"),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("models") / "tiny-llama"
    script = Path(__file__).with_name("make_tiny_llama.py")
    subprocess.run([INTERPRETER, str(script), str(folder)], check=True, timeout=START_S)
    return folder


@pytest.fixture(scope="module")
def server(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    wanted = VllmOptions(Path(INTERPRETER), tool_call_parser="hermes")
    options = ServerOptions(tmp_path_factory.mktemp("logs"), context_length=CONTEXT_LENGTH, vllm=wanted)
    server = open_server(f"vllm:{model}", options)
    server.start()
    yield server
    server.stop()


def chat(server: ModelServer, **extra: Any) -> dict[str, Any]:
    body = {"model": server.served_model, "messages": [{"role": "user", "content": "Hi"}], **extra}
    request = urllib.request.Request(
        f"{server.base_url}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def test_it_answers_alike_and_counts_what_it_says(server: ModelServer) -> None:
    """The same request gives the same text, and vLLM's counters grow by the usage in its answers."""
    before = server.counters()
    first, again = (chat(server, max_tokens=16, temperature=0) for _ in range(2))
    assert first["choices"][0]["message"]["content"] == again["choices"][0]["message"]["content"]
    used = [answer["usage"] for answer in (first, again)]
    assert growth(before, server.counters()) == TokenCounters(
        sum(usage["prompt_tokens"] for usage in used), sum(usage["completion_tokens"] for usage in used)
    )
    assert used[0]["completion_tokens"] == 16


def test_tools_are_taken(server: ModelServer) -> None:
    """With a parser for tool calls a request may bring tools and leave the choice to the model."""
    tool = {"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}
    assert chat(server, max_tokens=4, tools=[tool], tool_choice="auto")["choices"]


def test_its_identity(server: ModelServer) -> None:
    """Version and context length are vLLM's own words; the weights have a digest."""
    found = server.identity()
    assert found.version
    assert found.context_length == CONTEXT_LENGTH
    assert str(found.digest).startswith("sha256:")
    assert found.flags["prefix_caching"] is False


def test_killed_it_leaves_no_engine(server: ModelServer) -> None:
    """`kill -9` of vLLM alone would leave its engine and workers behind; here all are gone, and it is seen."""
    family = kill_program_of(server)
    assert len(family) > 3
    wait_until_gone(family)
    assert not server.healthy()


def test_a_whole_run(model: Path, tmp_path: Path) -> None:
    """`levelfield run` starts vLLM, measures through it, and ends it; its counts are beside the wire's."""
    plan = write_plan(
        tmp_path / "plan.yaml",
        frameworks=["direct", "langgraph"],
        tasks=research("stripe"),
        limits={"facts_per_query": 1, "max_tokens": dict.fromkeys(("researcher", "analyst", "writer"), 16)},
    )
    out = tmp_path / "out"
    variables = {"LEVELFIELD_VLLM_PYTHON": INTERPRETER, "LEVELFIELD_CONTEXT_LENGTH": str(CONTEXT_LENGTH)}
    options = ("--out", out, "--model", f"vllm:{model}", "--judge", "scripted:instant")
    with levelfield("run", plan, *options, folder=tmp_path, **variables) as command:
        code = command.wait(START_S)
        assert not command.left_behind(15)
    assert code == 0, command.output
    store = Store.existing(out)
    assert store.manifest().server["setting"] == "vllm:tiny-llama"
    assert INTERPRETER not in store.manifest_path.read_text(encoding="utf-8")
    records = list(store.runs())
    assert {record.key.framework for record in records} == {"direct", "langgraph"}
    for record in records:
        assert record.status == "completed", record.error
        assert record.server_prompt_tokens == record.prompt_tokens > 0
        assert record.server_completion_tokens == record.completion_tokens > 0
