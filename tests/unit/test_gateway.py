"""The gateway, as a real process between a client and a model server that misbehaves in every way we know."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cluster.gateway.lease import LeaseRequest
from cluster.gateway.process import GatewayProcess, Lease
from shared.errors import NodeFailed
from tests.unit import upstream
from tests.unit.upstream import FakeServer


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    fake = FakeServer()
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def gateway(server: FakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    process = GatewayProcess()
    process.start(server.url, "sk-upstream", tmp_path_factory.mktemp("spool"))
    yield process
    process.stop()


@pytest.fixture(autouse=True)
def _plain(server: FakeServer) -> None:
    server.behave = upstream.plain
    server.bodies.clear()
    server.headers.clear()
    server.gone.clear()


@pytest.fixture
def lease(gateway: GatewayProcess) -> Iterator[Lease]:
    opened = gateway.open_lease(wanted())
    yield opened
    with contextlib.suppress(NodeFailed):  # the test closed it
        gateway.close_lease(opened)


def wanted(**changes: Any) -> LeaseRequest:
    return LeaseRequest(**{"run_id": "r", "kind": "run", "deadline_s": 60, "request_timeout_s": 2} | changes)


def post(url: str, body: object, timeout: float = 10) -> tuple[int, bytes, dict[str, str]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Authorization": "Bearer sk-of-the-client"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)


def chat(lease: Lease, **extra: object) -> tuple[int, bytes, dict[str, str]]:
    return post(f"{lease.base_url}/chat/completions", {"model": "m", "messages": [], **extra})


def test_a_call_is_passed_on_unchanged_and_recorded(
    gateway: GatewayProcess, server: FakeServer, lease: Lease
) -> None:
    """The answer reaches the client byte for byte; the record has the request, tokens, times in order."""
    status, body, _ = chat(lease, temperature=0, seed=7)
    assert status == 200
    assert json.loads(body) == upstream.ANSWER
    (call,) = gateway.close_lease(lease).calls
    assert call.request == server.bodies[0] == {"model": "m", "messages": [], "temperature": 0, "seed": 7}
    assert (call.prompt_tokens, call.completion_tokens, call.cached_tokens) == (7, 3, 2)
    assert (call.status, call.finish_reason, call.error, call.sequence) == (200, "stop", None, 1)
    assert call.forwarded_s is not None
    assert call.first_byte_s is not None
    assert 0 <= call.arrived_s <= call.forwarded_s <= call.first_byte_s <= call.last_byte_s < 10


def test_the_clients_key_never_reaches_the_server(server: FakeServer, lease: Lease) -> None:
    """Only the gateway's own key goes upstream."""
    chat(lease)
    assert server.headers[0]["Authorization"] == "Bearer sk-upstream"


@pytest.mark.parametrize(
    ("behave", "status", "error"),
    [
        (upstream.status(500), 500, "planted"),
        (upstream.status(429, **{"Retry-After": "7"}), 429, "planted"),
        (upstream.status(400), 400, "planted"),
        (upstream.raw(b"<html>busy</html>"), 200, "not JSON"),
        (upstream.raw(b""), 200, "not JSON"),
        (upstream.raw(b"[1]"), 200, "not a JSON object"),
        (upstream.raw(b"[" * 100_000), 200, "not JSON"),
        (upstream.status(302, Location="http://127.0.0.1:1/"), 502, "redirect"),
        (upstream.hang, 504, "did not answer within 2 s"),
        (upstream.raw(b'{"a": "' + b"x" * 70_000_000 + b'"}'), 502, "over"),
    ],
    ids=["500", "429", "400", "html", "empty", "list", "deep", "redirect", "hang", "huge"],
)
def test_a_server_that_misbehaves(
    gateway: GatewayProcess, server: FakeServer, behave: upstream.Behaviour, status: int, error: str
) -> None:
    """Each fault gives the client a status it understands and the record a reason; the next run is served."""
    server.behave = behave
    lease = gateway.open_lease(wanted())
    got, _, headers = chat(lease)
    (call,) = gateway.close_lease(lease).calls
    assert (got, call.status) == (status, status)
    assert call.error
    assert error in call.error
    if status == 429:
        assert headers["Retry-After"] == "7"
    server.behave = upstream.plain
    lease = gateway.open_lease(wanted())
    assert chat(lease)[0] == 200
    gateway.close_lease(lease)


def test_wrong_usage_is_no_usage(gateway: GatewayProcess, server: FakeServer, lease: Lease) -> None:
    """Token counts that are no counts are recorded as unknown."""
    server.behave = upstream.raw(
        json.dumps({**upstream.ANSWER, "usage": {"prompt_tokens": -1, "completion_tokens": "9"}}).encode()
    )
    assert chat(lease)[0] == 200
    (call,) = gateway.close_lease(lease).calls
    assert (call.prompt_tokens, call.completion_tokens) == (None, None)


DELTA = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}\n\n'
END = b"data: [DONE]\n\n"


def test_a_stream_is_metered_without_the_client_noticing(
    gateway: GatewayProcess, server: FakeServer, lease: Lease
) -> None:
    """Usage is asked for on the client's behalf, counted, and kept from a client that did not ask."""
    server.behave = upstream.stream([DELTA, USAGE, END])
    status, body, _ = chat(lease, stream=True)
    assert (status, body) == (200, DELTA + END)
    assert server.bodies[0]["stream_options"] == {"include_usage": True}
    (call,) = gateway.close_lease(lease).calls
    assert (call.prompt_tokens, call.completion_tokens, call.streamed) == (5, 2, True)
    assert "stream_options" not in call.request


def test_a_client_that_asks_for_usage_gets_it(server: FakeServer, lease: Lease) -> None:
    """A stream whose client asked for usage is passed on whole."""
    server.behave = upstream.stream([DELTA, USAGE, END])
    assert chat(lease, stream=True, stream_options={"include_usage": True})[1] == DELTA + USAGE + END


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        (upstream.stream([DELTA], break_off=True), "broke off"),
        (upstream.stream([DELTA]), "broke off"),
        (upstream.stream([b"data: {nonsense\n\n", END]), "not a JSON object"),
        (upstream.stream([b": comment\n\n", END]), "no answer"),
        (upstream.stream([b"data: " + b"x" * 5_000_000]), "too large"),
    ],
    ids=["cut", "no end", "malformed", "empty", "endless event"],
)
def test_a_stream_that_goes_wrong(
    gateway: GatewayProcess, server: FakeServer, lease: Lease, behave: upstream.Behaviour, error: str
) -> None:
    """A stream that breaks off or holds nonsense is recorded with the reason."""
    server.behave = behave
    with contextlib.suppress(http.client.HTTPException, ConnectionError):
        chat(lease, stream=True)  # a stream that was cut is cut for the client too
    (call,) = gateway.close_lease(lease).calls
    assert call.error
    assert error in call.error


def test_a_client_that_hangs_up_cancels_its_request(
    gateway: GatewayProcess, server: FakeServer, lease: Lease
) -> None:
    """The server's work is stopped, the call is recorded as 499."""
    server.behave = upstream.hang
    with pytest.raises(TimeoutError):
        post(f"{lease.base_url}/chat/completions", {}, timeout=0.5)
    assert server.gone.wait(5)
    (call,) = gateway.close_lease(lease).calls
    assert (call.status, call.error) == (499, "the client hung up, or its run ended")


def test_closing_a_lease_ends_its_calls(gateway: GatewayProcess, server: FakeServer, lease: Lease) -> None:
    """A call still under way when the lease is closed is cancelled and recorded."""
    server.behave = upstream.hang
    parts = urlsplit(lease.base_url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    connection.request("POST", f"{parts.path}/chat/completions", b"{}")
    deadline = time.monotonic() + 5
    while gateway.status().in_flight == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    (call,) = gateway.close_lease(lease).calls
    assert call.status == 499
    connection.close()


def test_one_run_at_a_time(gateway: GatewayProcess, lease: Lease) -> None:
    """While a run holds the node, neither another run nor a judge gets a lease."""
    for kind in ("run", "judge"):
        with pytest.raises(NodeFailed, match="taken by r"):
            gateway.open_lease(wanted(run_id="other", kind=kind))


def test_a_wrong_token_is_refused_and_counted(
    gateway: GatewayProcess, server: FakeServer, lease: Lease
) -> None:
    """A guess never reaches the model and contaminates nothing; its count is in the report."""
    guess = lease.base_url.replace(lease.token, "guess")
    status, body, _ = post(f"{guess}/chat/completions", {})
    assert status == 403
    assert json.loads(body)["error"]["code"] == "lease_unknown"
    report = gateway.close_lease(lease)
    assert (report.stray_calls, report.contaminated, server.bodies) == (1, False, [])


def test_a_call_of_an_ended_run_contaminates_the_next(gateway: GatewayProcess, server: FakeServer) -> None:
    """A run that goes on after its end is refused, and the run it disturbed knows."""
    first = gateway.open_lease(wanted(run_id="first"))
    gateway.close_lease(first)
    second = gateway.open_lease(wanted(run_id="second"))
    status, body, _ = chat(first)
    assert (status, json.loads(body)["error"]["code"]) == (403, "lease_closed")
    assert gateway.close_lease(second).contaminated
    assert server.bodies == []


def test_deadline_and_budgets(gateway: GatewayProcess, server: FakeServer) -> None:
    """Past its deadline or a budget a run is refused with a status that clients do not retry."""
    limits: list[tuple[dict[str, Any], int, str]] = [
        ({"deadline_s": 0.001}, 0, "lease_expired"),
        ({"max_model_calls": 1}, 1, "budget_exceeded"),
        ({"max_completion_tokens": 3}, 1, "budget_exceeded"),
    ]
    for limit, served, code in limits:
        server.bodies.clear()
        lease = gateway.open_lease(wanted(**limit))
        time.sleep(0.01)
        for _ in range(served):
            assert chat(lease)[0] == 200
        status, body, _ = chat(lease)
        assert (status, json.loads(body)["error"]["code"]) == (403, code)
        assert len(server.bodies) == served
        report = gateway.close_lease(lease)
        assert bool(report.budget_exceeded) == (code == "budget_exceeded")


def test_tools_are_served_and_journalled(gateway: GatewayProcess) -> None:
    """A tool answers from the data its run was given; mistakes get a text that helps."""
    data = {"subject": "Stripe", "as_of": "2025-01-01", "topics": {}}
    lease = gateway.open_lease(wanted(tools={"search": data}))
    status, answer, _ = post(f"{lease.tools_url}/search", {"query": "overview"})
    assert status == 200
    assert answer
    assert post(f"{lease.tools_url}/serach", {})[:2] == (404, b"There is no tool 'serach'. Tools: search.")
    assert post(f"{lease.tools_url}/search", b"{nonsense")[0] == 400
    calls = gateway.close_lease(lease).calls
    assert [(call.kind, call.status) for call in calls] == [("tool", 200), ("tool", 404), ("tool", 400)]


def test_a_judge_may_call_in_parallel(gateway: GatewayProcess) -> None:
    """A judge's lease works like a run's, and its calls are kept apart from runs'."""
    lease = gateway.open_lease(wanted(run_id="judge", kind="judge"))
    assert chat(lease)[0] == 200
    assert gateway.status().run_id == "judge"
    assert len(gateway.close_lease(lease).calls) == 1
    assert gateway.status().run_id is None


def test_other_paths_are_closed(lease: Lease) -> None:
    """Only the model's own endpoints are passed on, and administration needs the secret."""
    assert post(f"{lease.base_url}/files", {})[0] == 404
    origin = lease.base_url.partition("/runs")[0]
    assert post(f"{origin}/admin/leases", {})[0] == 403


def test_calls_are_on_disk_before_the_answer_arrives(server: FakeServer, tmp_path: Path) -> None:
    """When a client has its answer, the journal's file has the call."""
    process = GatewayProcess()
    process.start(server.url, None, tmp_path)
    try:
        lease = process.open_lease(wanted())
        for number in range(1, 4):
            chat(lease)
            lines = (tmp_path / "lease-1.jsonl").read_text().splitlines()
            assert [json.loads(line)["sequence"] for line in lines] == list(range(1, number + 1))
    finally:
        process.stop()


def test_a_full_disk_is_an_answer(server: FakeServer, tmp_path: Path) -> None:
    """When the journal cannot be written, the client gets 507, the report says why, and the gateway lives."""
    starter = f"""
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
sys.path.insert(0, {str(Path.cwd())!r})
from pathlib import Path
from tests.unit.test_gateway import chat, wanted
from cluster.gateway.process import GatewayProcess
process = GatewayProcess()
process.start({server.url!r}, None, Path({str(tmp_path)!r}))
lease = process.open_lease(wanted())
print([chat(lease)[0] for _ in range(5)])
report = process.close_lease(lease)
print(report.journal_error, len(report.calls))
second = process.open_lease(wanted())
print(chat(second)[0])
process.stop()
"""
    done = subprocess.run(
        [sys.executable, "-c", starter], capture_output=True, text=True, timeout=60, check=True
    )
    statuses, error, after = done.stdout.splitlines()
    assert json.loads(statuses)[0] == 200
    assert json.loads(statuses)[-1] == 507
    assert error == "the gateway's journal: File too large 5"
    assert after == "200"


def test_a_port_in_use_is_a_clear_error(server: FakeServer, tmp_path: Path) -> None:
    """The message names the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(NodeFailed, match=f"cannot listen on 127.0.0.1:{port}"):
            GatewayProcess().start(server.url, None, tmp_path, port=port)


def test_it_dies_with_its_parent(server: FakeServer, tmp_path: Path) -> None:
    """A parent killed with SIGKILL leaves no gateway behind."""
    starter = f"""
import sys, time
sys.path.insert(0, {str(Path.cwd())!r})
from pathlib import Path
from cluster.gateway.process import GatewayProcess
process = GatewayProcess()
process.start({server.url!r}, None, Path({str(tmp_path)!r}))
print(process._process.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait(10)
    deadline = time.monotonic() + 10
    while _is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_running(child)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"
