"""Benchmarks' real processes: the mock server, the byte pipe, peers that cannot be built."""

from __future__ import annotations

import http.client
import json
import socket
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from benchmarks.chat_client import ChatClient, WrongAnswer, chat_body
from benchmarks.cpu import measure_rounds
from benchmarks.cpu_task import agents_of, parameters
from benchmarks.gateway import FLOOR, KINDS, OURS, PEER, PIPE, measure_kinds
from benchmarks.line_process import ROOT, LineProcess, ProcessFailed, cpu_seconds, end, tied_process
from benchmarks.mock import MODEL, Behaviour, Mock, running_mock
from benchmarks.mock_server import stream_events
from benchmarks.peers import Peers, locked_version
from benchmarks.session import Session
from cluster.progress import RunProgress
from frameworks.direct import adapter
from shared.contract import RunRequest
from tests.unit.upstream import FakeServer, raw

MODULE = [sys.executable, "-m"]


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    with running_mock(tmp_path_factory.mktemp("mock")) as started:
        yield started


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A cache that cannot be written, so that no peer can be built."""
    (tmp_path / "cache").write_text("a file where a folder should be", encoding="utf-8")
    monkeypatch.setenv("LEVELFIELD_CACHE", str(tmp_path / "cache"))
    (tmp_path / "session").mkdir()
    return Session(tmp_path / "session", RunProgress(Console(file=StringIO())))


def _complete(mock: Mock, **body: Any) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", mock.port, timeout=10)
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps({"messages": []} | body))
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def test_mock_stamps_what_it_answers(mock: Mock) -> None:
    """A stream's stamps are in order and as far apart as the gaps asked for; an account forgets what it told."""
    mock.behave(Behaviour(wait_s=0.02, gap_s=0.005, events=5))
    with ChatClient(mock.base_url) as client:
        timing = client.complete(chat_body(stream=True))
    (stamp,) = mock.account().stamps
    assert stamp.streamed
    assert stamp.first is not None
    assert stamp.last is not None
    assert stamp.first - stamp.arrived >= 0.02
    assert stamp.last - stamp.first >= 0.02
    assert timing.whole_s >= stamp.last - stamp.arrived
    assert mock.account().stamps == []


def test_mock_says_something_else_each_time_and_answers_judges(mock: Mock) -> None:
    """`distinct` makes every text its own; a request with a JSON schema gets JSON that fits it."""
    mock.behave(Behaviour(distinct=True))
    texts = [_complete(mock)["choices"][0]["message"]["content"] for _ in range(2)]
    assert texts[0] != texts[1]
    schema = {"type": "object", "properties": {"overall": {"type": "integer", "minimum": 1}}}
    answer = _complete(mock, response_format={"type": "json_schema", "json_schema": {"schema": schema}})
    assert json.loads(answer["choices"][0]["message"]["content"]) == {"overall": 1}
    assert [stamp.kind for stamp in mock.account().stamps] == ["run", "run", "judge"]


def test_mock_puts_a_request_in_pieces_together(mock: Mock) -> None:
    """However TCP cuts a request, it is answered once, and the connection takes the next one."""
    mock.behave(Behaviour(answer_characters=10))
    body = b'{"messages": []}'
    request = b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    with socket.create_connection(("127.0.0.1", mock.port), timeout=10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (request[:20], request[20:-5], request[-5:], request):
            client.sendall(piece)
        received = b""
        while received.count(b"HTTP/1.1 200 OK") < 2 or not received.endswith(b"}"):
            received += client.recv(65536)
    assert len(mock.account().stamps) == 2


@given(st.text(min_size=1, max_size=300), st.integers(1, 64))
def test_stream_carries_the_whole_text(text: str, tokens: int) -> None:
    """The pieces of a stream's events put together are the text, in no more events than asked for."""
    *events, ending = stream_events(text, tokens, {"prompt_tokens": 1})
    pieces = [json.loads(event.removeprefix(b"data: "))["choices"][0]["delta"]["content"] for event in events]
    assert "".join(pieces) == text
    assert len(pieces) <= tokens
    assert ending.endswith(b"data: [DONE]\n\n")


def test_byte_pipe_changes_nothing(mock: Mock, tmp_path: Path) -> None:
    """What comes through the pipe is what the mock said, request after request on one connection."""
    mock.behave(Behaviour())
    command = [*MODULE, "benchmarks.byte_pipe"]
    with (
        LineProcess(command, tmp_path / "log", {"port": mock.port}) as pipe,
        ChatClient(f"http://127.0.0.1:{pipe.said['port']}/v1") as client,
    ):
        for stream in (False, True, False):
            client.complete(chat_body(stream=stream))
    account = mock.account()
    assert [stamp.streamed for stamp in account.stamps] == [False, True, False]


def test_client_refuses_what_is_no_answer() -> None:
    """A proxy that answers fast because it answers nonsense is an error and no measurement."""
    server = FakeServer()
    server.behave = raw(b"data: {}\n\n", "text/event-stream")
    try:
        with ChatClient(server.url) as client, pytest.raises(WrongAnswer, match=r"data: \{\}"):
            client.complete(chat_body(stream=True))
    finally:
        server.stop()


def test_process_that_fails_says_why(tmp_path: Path) -> None:
    """A process that ends instead of answering is an error with the end of its log."""
    command = [*MODULE, "benchmarks.nonsense"]
    with pytest.raises(ProcessFailed, match=r"No module named benchmarks\.nonsense"):
        LineProcess(command, tmp_path / "log", {}).__enter__()


def test_process_that_hangs_is_given_up(tmp_path: Path) -> None:
    """A process that says nothing is given up after its time, and is gone afterwards."""
    process = LineProcess([sys.executable, "-c", "input(); input()"], tmp_path / "log", {}, timeout_s=0.5)
    with pytest.raises(ProcessFailed, match=r"did not answer within 0\.5 s"):
        process.__enter__()
    assert process._process is None


def test_processor_time_counts_children_that_ended() -> None:
    """The account of a process holds what its children used, while they ran and after."""
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    script = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])\nprint(flush=True)\ninput()"
    process = tied_process([sys.executable, "-c", script], stdin=-1, stdout=-1)
    try:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        assert sum(cpu_seconds(process.pid).values()) >= 0.28
        process.stdin.close()
        process.stdout.close()
    finally:
        end(process)


def test_gateway_is_measured_without_the_peer(session: Session) -> None:
    """When LiteLLM cannot be built, it is missing with the reason, and the others have their figures."""
    kinds = [kind for kind in KINDS if kind.name == "plain"]
    found = measure_kinds(session, [replace(kinds[0], blocks=1)], rounds=1)
    subjects = {subject.name: subject for subject in found.subjects}
    assert "LEVELFIELD_CACHE" in (subjects[PEER].missing or "")
    assert all(set(made.of) <= {FLOOR, PIPE, OURS} for made in found.figures)
    assert set(found.figures[0].of) == {FLOOR, PIPE, OURS}
    assert None in {goal.met for goal in found.goals}


def test_processor_time_is_measured_without_the_peer(session: Session) -> None:
    """When inspect_ai cannot be built, raw httpx and the harness are measured, the gateway's process included."""
    found = measure_rounds(session, rounds=1, tasks=2)
    assert "LEVELFIELD_CACHE" in (found.subjects[-1].missing or "")
    assert set(found.figures[0].of) == {"raw", "levelfield"}
    processes = found.details["ms_per_call_by_process"]["levelfield"]
    assert set(processes) == {"benchmarks.cpu_ours", "cluster.gateway"}


def test_peer_that_fails_when_tried_is_missing(session: Session) -> None:
    """A peer that was built and then does not work is missing like one that was not built, with its own words."""

    @contextmanager
    def broken() -> Iterator[None]:
        raise ProcessFailed("it said no")
        yield

    with ExitStack() as stack:
        peers = Peers(session, stack)
        assert peers.enter("broken", broken()) is None
        assert peers.enter("good", nullcontext(1)) == 1
    assert peers.missing == {"broken": "it said no"}


def test_version_of_a_peer_is_its_locks() -> None:
    """What a result calls its peer is what the lock installs."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    assert groups["bench-litellm"] == [f"litellm[proxy]=={locked_version('bench-litellm', 'litellm')}"]
    assert f"inspect-ai=={locked_version('bench-inspect', 'inspect-ai')}" in groups["bench-inspect"]


def test_every_subject_of_cpu_sends_what_direct_sends() -> None:
    """The bodies that raw and inspect send are those of the adapter 'direct', so the task is the same."""
    agents = [
        {"name": "a", "instructions": "i", "request": "r", "max_tokens": 5},
        {"name": "b", "instructions": "j", "request": "s", "max_tokens": 6},
    ]
    specs = agents_of({"agents": agents})
    server = FakeServer()
    try:
        adapter.run(_request(server.url, specs))
        answers = {"a": "hé"}
        assert server.bodies == [parameters(specs[0], {}, MODEL), parameters(specs[1], answers, MODEL)]
    finally:
        server.stop()


def _request(base_url: str, specs: Any) -> RunRequest:
    return RunRequest(
        run_id="x",
        base_url=base_url,
        tools_url=base_url,
        model=MODEL,
        agents=specs,
        temperature=0.0,
        seed=7,
        request_timeout_s=10,
        max_steps=8,
    )
