"""The embedded model server with its real model: same text every time, its own digest, and no process left."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from cluster.machine_load import LoadMeter
from cluster.probe_model import COMPLETION_TOKENS, probe_model
from cluster.servers import ModelServer, ServerOptions, TokenCounters, growth, open_server
from runtime_envs.models import model_file
from shared.errors import NodeFailed

pytestmark = [pytest.mark.functional, pytest.mark.timeout(180)]

MODEL = "smollm2-135m"
CONTEXT_LENGTH = 1024
START_TIMEOUT_S = 120.0
GONE_TIMEOUT_S = 15.0
QUESTION = [{"role": "user", "content": "Name three facts about the company Stripe."}]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    opened = new_server(tmp_path_factory.mktemp("llamacpp"))
    opened.start()
    yield opened
    opened.stop()


def new_server(folder: Path, name: str = MODEL) -> ModelServer:
    return open_server(f"llamacpp:{name}", ServerOptions(folder, None, None, CONTEXT_LENGTH, START_TIMEOUT_S))


def chat(server: ModelServer, messages: list[dict[str, str]] = QUESTION, **extra: Any) -> dict[str, Any]:
    """The answer's first choice."""
    body = {"model": server.served_model, "messages": messages, "temperature": 0, "seed": 7} | extra
    request = urllib.request.Request(
        f"{server.base_url}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        choice: dict[str, Any] = json.load(answer)["choices"][0]
    return choice


def text_of(choice: dict[str, Any]) -> str:
    text: str = choice["message"]["content"]
    return text


def digest_of(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def children() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


def wait_until_gone(process: psutil.Process) -> None:
    """Fails when it is still running after a while; a zombie that nobody reaped has ended."""
    deadline = time.monotonic() + GONE_TIMEOUT_S
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, f"{process} is still running"
        time.sleep(0.05)


def test_the_same_text_every_time_and_after_a_restart(server: ModelServer, tmp_path: Path) -> None:
    """A prompt is answered bit for bit alike in repeats, after other prompts, and by a new process."""
    first = text_of(chat(server, max_tokens=24))
    assert len(first.split()) > 5
    assert text_of(chat(server, max_tokens=24)) == first
    chat(server, [{"role": "user", "content": "Name three facts about the company Datadog."}], max_tokens=4)
    assert text_of(chat(server, max_tokens=24)) == first
    other = new_server(tmp_path)
    other.start()
    try:
        assert text_of(chat(other, max_tokens=24)) == first
        other.start()  # a restart under the same object
        assert text_of(chat(other, max_tokens=24)) == first
    finally:
        other.stop()


def test_answers_by_json_schema_parse(server: ModelServer) -> None:
    """A schema as judges use is kept to by the real model: right keys, whole numbers from 1 to 10."""
    names = ("completeness", "accuracy")
    schema = {
        "type": "object",
        "properties": {name: {"type": "integer", "minimum": 1, "maximum": 10} for name in names},
        "required": list(names),
        "additionalProperties": False,
    }
    asked = {"type": "json_schema", "json_schema": {"name": "verdict", "strict": True, "schema": schema}}
    for question in ("Score this report: Stripe moves money.", "Say hello and nothing else."):
        choice = chat(server, [{"role": "user", "content": question}], response_format=asked, max_tokens=64)
        scores = json.loads(text_of(choice))
        assert set(scores) == set(names)
        assert all(isinstance(score, int) and 1 <= score <= 10 for score in scores.values())


def test_a_conversation_that_ends_on_an_assistant_turn_is_answered(server: ModelServer) -> None:
    """The last assistant turn is closed and a new one begun: its tokens differ from those of a continuation."""
    turns = [*QUESTION, {"role": "assistant", "content": "Stripe was founded in"}]
    request = urllib.request.Request(
        f"{server.base_url.removesuffix('/v1')}/apply-template",
        data=json.dumps({"messages": turns}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        prompt: str = json.load(answer)["prompt"]
    closed, _, opened = prompt.rpartition("<|im_end|>")
    assert closed.endswith("Stripe was founded in")
    assert opened.strip() == "<|im_start|>assistant"
    assert text_of(chat(server, turns, max_tokens=8)).strip()


def test_metrics_health_and_log(server: ModelServer) -> None:
    """/metrics counts prompt tokens, the server calls itself healthy, and its log can be quoted."""
    chat(server, max_tokens=1)
    with urllib.request.urlopen(f"{server.base_url.removesuffix('/v1')}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    (counted,) = [line for line in lines if line.startswith("llamacpp:prompt_tokens_total ")]
    assert float(counted.split()[1]) > 0
    assert server.healthy()
    assert server.log_tail()


ASKED: dict[str, dict[str, Any]] = {
    "whole": {},
    "streamed": {"stream": True, "stream_options": {"include_usage": True}},
    "system prompt": {
        "messages": [{"role": "system", "content": "You are a careful analyst. " * 20}, *QUESTION]
    },
    "an assistant's turn": {"messages": [*QUESTION, {"role": "assistant", "content": "Stripe was"}]},
    "one token": {"max_tokens": 1},
    "a stop string": {"stop": ["."]},
    "prompt cache asked for": {"cache_prompt": True},
    "and used": {"cache_prompt": True},
}


def usage_of(server: ModelServer, **extra: Any) -> TokenCounters:
    """What the answer itself says."""
    body = {"model": server.served_model, "messages": QUESTION, "temperature": 0, "seed": 7, "max_tokens": 12}
    request = urllib.request.Request(
        f"{server.base_url}/chat/completions",
        data=json.dumps(body | extra).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read().decode()
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    (usage,) = [event["usage"] for event in events or [json.loads(text)] if event.get("usage")]
    return TokenCounters(usage["prompt_tokens"], usage["completion_tokens"])


@pytest.mark.parametrize("name", ASKED)
def test_the_servers_own_counters_are_the_sum_of_its_usage(server: ModelServer, name: str) -> None:
    """At once after each answer, streamed or not, the counters have grown by exactly what its usage says."""
    before = server.counters()
    assert before is not None
    said = usage_of(server, **ASKED[name])
    assert growth(before, server.counters()) == said
    assert said.completion_tokens > 0


def test_the_probe_of_the_real_model(server: ModelServer) -> None:
    """Two probes read the same prompt and get the same text; the stream parts prefill from decode."""
    first, second = (probe_model(server.base_url, server.served_model, 60) for _ in range(2))
    for probe in (first, second):
        assert probe.error is None
        assert probe.completion_tokens == COMPLETION_TOKENS
        assert probe.prompt_tokens
        assert 120 <= probe.prompt_tokens <= 240
        assert probe.seconds
        assert probe.prefill_s
        assert probe.decode_s
        assert probe.prefill_s + probe.decode_s <= probe.seconds
    assert first.text_sha256 == second.text_sha256
    assert first.prompt_tokens == second.prompt_tokens


def test_the_servers_work_is_ours(server: ModelServer) -> None:
    """The processor time of the model server, found by its pids, is in the load's own share."""
    (pid,) = server.pids()
    process = psutil.Process(pid)
    used = sum(process.cpu_times()[:2])
    meter = LoadMeter(server.pids)
    meter.start()
    chat(server, max_tokens=64)
    load = meter.stop()
    used = sum(process.cpu_times()[:2]) - used
    assert load.own_share is not None
    assert load.own_share == pytest.approx(used / (load.seconds * load.processors), rel=0.3)


def test_the_identity_is_the_files_and_the_servers_own(server: ModelServer) -> None:
    """The digest is the sha256 of the file that is served; the context length is what the server has."""
    found = server.identity()
    assert found.digest == digest_of(model_file(MODEL))
    assert found.context_length == CONTEXT_LENGTH
    assert (found.setting, found.served_model) == (f"llamacpp:{MODEL}", MODEL)
    assert found.version


def test_a_template_without_a_place_for_tools_is_told(server: ModelServer) -> None:
    """llama.cpp drops such a model's tools without a word: the answer is the same, and the flags say why."""
    offered = [{"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}]
    assert chat(server, max_tokens=8, tools=offered) == chat(server, max_tokens=8)
    flags = server.identity().flags
    assert flags["chat_template"] == "the model's own"
    assert flags["chat_template_shows_tools"] is False


def test_a_model_file_of_ones_own(tmp_path: Path) -> None:
    """A path to a .gguf serves that file under its own name, with its digest and without its folder."""
    own = tmp_path / "own.gguf"
    own.symlink_to(model_file(MODEL))
    before = children()
    server = new_server(tmp_path, str(own))
    server.start()
    try:
        assert text_of(chat(server, max_tokens=2))
        found = server.identity()
        assert found.digest == digest_of(own)
        assert (found.setting, found.served_model) == ("llamacpp:own.gguf", "own.gguf")
        assert str(tmp_path) not in str(found)
        (process,) = children() - before
    finally:
        server.stop()
    assert not process.is_running()
    assert not server.healthy()


def test_a_file_that_only_begins_like_a_model(tmp_path: Path) -> None:
    """A damaged model is an error that quotes the server's log, and no process is left."""
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(b"GGUF" + b"\0" * 64)
    before = children()
    with pytest.raises(NodeFailed, match="end of its log"):
        new_server(tmp_path, str(damaged)).start()
    assert children() == before


PARENT = """
import sys, time
from pathlib import Path
from cluster.servers import ServerOptions, open_server
server = open_server("llamacpp:smollm2-135m", ServerOptions(Path(sys.argv[1]), context_length=1024))
server.start()
print("started", flush=True)
time.sleep(120)
"""


def test_the_server_dies_with_its_parent(tmp_path: Path) -> None:
    """`kill -9` of the process that started it leaves no model server behind."""
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        try:
            assert parent.stdout
            assert parent.stdout.readline() == b"started\n"
            left = psutil.Process(parent.pid).children(recursive=True)
        finally:
            parent.kill()
        assert left
        for process in left:
            wait_until_gone(process)
