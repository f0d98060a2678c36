"""Bad input to the gateway: each ends as a recorded status and an answer a client can handle, and it goes on."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from cluster.gateway.process import GatewayProcess, Lease
from tests.unit import upstream
from tests.unit.running_gateway import RunningGateway, chat, post, wanted
from tests.unit.upstream import DELTA, END, FakeServer

GONE = "the client hung up, or its run ended"


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(
    ("behave", "status", "error"),
    [
        (upstream.status(500), 500, "planted"),
        (upstream.status(429, **{"Retry-After": "70"}), 429, "planted"),
        (upstream.status(400), 400, "planted"),
        (upstream.raw(b"<html>busy</html>"), 200, "not JSON"),
        (upstream.raw(b""), 200, "not JSON"),
        (upstream.raw(b"[1]"), 200, "not a JSON object"),
        (upstream.raw(b'{"error": {"message": "in disguise"}}'), 200, "in disguise"),
        (upstream.raw(b"[" * 100_000), 200, "not JSON"),
        (upstream.raw(b'{"a":' * 300 + b"1" + b"}" * 300), 200, "not JSON"),
        (upstream.status(302, Location="http://127.0.0.1:1/"), 502, "redirect"),
        (upstream.hang, 504, "did not answer within 1 s"),
        (upstream.endless(b"x" * 1_000_000, "application/json", 100), 502, "over 67,108,864 bytes"),
    ],
    ids=[
        *("500", "429", "400", "html", "empty", "list", "disguised", "deep", "nested", "redirect", "hang"),
        "100 MB",
    ],
)
def test_a_server_that_misbehaves(
    gateway: RunningGateway, behave: upstream.Behaviour, status: int, error: str, *, streamed: bool
) -> None:
    """Each fault gives the client a status it understands and the record a reason; the next run is served."""
    gateway.server.behave = behave
    with gateway.lease(request_timeout_s=1 if behave is upstream.hang else 20) as lease:
        got = chat(lease, stream=streamed)
        (call,) = gateway.close(lease).calls
    assert (got.status, call.status, call.streamed) == (status, status, streamed)
    assert call.error
    assert error in call.error
    assert call.failed
    if status == 429:
        assert got.headers["Retry-After"] == "70"
    if status in (502, 504):
        assert json.loads(got.body)["error"]["code"] == "model_server"
    assert gateway.serves_the_next_run()


def test_what_is_no_web_server(tmp_path: Path) -> None:
    """A server that speaks another protocol, or hangs up, is a 502 with the reason."""
    nonsense = [b"HTTP/1.1 nonsense\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b""]
    process = GatewayProcess()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=answer_with, args=(listening, nonsense), daemon=True).start()
        process.start(f"http://127.0.0.1:{listening.getsockname()[1]}/v1", None, tmp_path)
        try:
            lease = process.open_lease(wanted())
            assert [chat(lease, seed=seed).status for seed in range(3)] == [502] * 3
            calls = process.close_lease(lease).calls
        finally:
            process.stop()
    assert all("cannot be reached" in str(call.error) for call in calls)


def answer_with(listening: socket.socket, texts: list[bytes]) -> None:
    for text in texts:
        client, _ = listening.accept()
        with client:
            client.recv(65536)
            client.sendall(text)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -1, "completion_tokens": "9"},
        {"prompt_tokens": True, "completion_tokens": 1.5, "prompt_tokens_details": [1]},
        {"prompt_tokens": 10**30},
        "none",
        [],
        None,
    ],
)
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_wrong_usage_is_no_usage(
    gateway: RunningGateway, lease: Lease, usage: object, streamed: bool
) -> None:
    """Token counts that are no counts are recorded as unknown, and the answer is passed on."""
    body = json.dumps({**upstream.ANSWER, "usage": usage}).encode()
    gateway.server.behave = (
        upstream.stream([b"data: " + body + b"\n\n", END]) if streamed else upstream.raw(body)
    )
    got = chat(lease, stream=streamed)
    assert (got.status, body in got.body) == (200, True)
    (call,) = gateway.close(lease).calls
    assert (call.prompt_tokens, call.completion_tokens, call.cached_tokens) == (None, None, None)
    assert call.error is None


def open_request(lease: Lease, body: bytes) -> http.client.HTTPConnection:
    parts = urlsplit(lease.base_url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    connection.request("POST", f"{parts.path}/chat/completions", body)
    return connection


def wait_for_calls_in_flight(gateway: RunningGateway, count: int) -> None:
    deadline = time.monotonic() + 5
    while gateway.process.status().in_flight != count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_client_that_hangs_up_before_the_answer(gateway: RunningGateway, lease: Lease) -> None:
    """The server's work is stopped, the call is recorded as 499, and its repetition is a retry."""
    gateway.server.behave = upstream.hang
    with pytest.raises(TimeoutError):
        post(f"{lease.base_url}/chat/completions", {}, timeout=0.5)
    assert gateway.server.gone.wait(5)
    wait_for_calls_in_flight(gateway, 0)
    gateway.server.behave = upstream.plain
    post(f"{lease.base_url}/chat/completions", {})
    gone, again = gateway.close(lease).calls
    assert (gone.status, gone.error, gone.delivered_s) == (499, GONE, None)
    assert (again.status, again.retry_of) == (200, 1)
    assert gateway.serves_the_next_run()


def test_a_client_that_hangs_up_in_mid_stream(gateway: RunningGateway, lease: Lease) -> None:
    """What had come until then is recorded, with 499."""
    gateway.server.behave = upstream.stream([DELTA] * 200, pause_s=0.02)
    connection = open_request(lease, b'{"stream": true}')
    assert connection.getresponse().read(len(DELTA)) == DELTA
    connection.close()
    assert gateway.server.gone.wait(5)
    (call,) = gateway.close(lease).calls
    assert (call.status, call.error, call.streamed) == (499, GONE, True)
    assert 1 <= len(call.response) == len(call.chunks_s) < 200
    assert call.first_token_s == call.first_byte_s == pytest.approx(call.chunks_s[0], abs=1e-6)
    assert gateway.serves_the_next_run()


def test_a_client_that_hangs_up_while_it_asks(gateway: RunningGateway, lease: Lease) -> None:
    """Half a request reaches no server and is recorded."""
    parts = urlsplit(lease.base_url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as client:
        client.sendall(
            f"POST {parts.path}/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{{".encode()
        )
        wait_for_calls_in_flight(gateway, 1)
    wait_for_calls_in_flight(gateway, 0)
    (call,) = gateway.close(lease).calls
    assert (call.status, call.error, gateway.server.bodies) == (499, GONE, [])
    assert gateway.serves_the_next_run()


def test_a_request_that_is_too_large(gateway: RunningGateway, lease: Lease) -> None:
    """Over 32 MiB is refused with 413 and recorded."""
    with contextlib.suppress(ConnectionError):  # the gateway may hang up before all of it is sent
        assert post(f"{lease.base_url}/chat/completions", b"x" * 34_000_000).status == 413
    wait_for_calls_in_flight(gateway, 0)
    (call,) = gateway.close(lease).calls
    assert (call.status, call.error) == (413, "The request is too large.")
    assert gateway.serves_the_next_run()


def test_a_call_that_ends_soon_is_still_delivered(gateway: RunningGateway, lease: Lease) -> None:
    """Closing a lease waits a moment for what is under way."""

    async def soon(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.2)
        return await upstream.plain(request)

    gateway.server.behave = soon
    connection = open_request(lease, b"{}")
    wait_for_calls_in_flight(gateway, 1)
    (call,) = gateway.close(lease).calls
    assert (call.status, connection.getresponse().status) == (200, 200)
    assert call.delivered_s is not None
    connection.close()


def test_closing_a_lease_ends_its_calls(gateway: RunningGateway, lease: Lease) -> None:
    """A call still under way when the lease is closed is cancelled and recorded."""
    gateway.server.behave = upstream.hang
    connection = open_request(lease, b"{}")
    wait_for_calls_in_flight(gateway, 1)
    (call,) = gateway.close(lease).calls
    assert call.status == 499
    connection.close()
    assert gateway.serves_the_next_run()


FULL_DISK = """
import json, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.unit.running_gateway import chat, wanted
from cluster.gateway.process import GatewayProcess
def said(lease):
    try:
        got = chat(lease, stream={streamed})
        return [got.status, got.body.decode()]
    except Exception as error:
        return [0, type(error).__name__]
process = GatewayProcess()
process.start({url!r}, None, Path({folder!r}))
lease = process.open_lease(wanted())
answers = [said(lease) for _ in range(6)]
report = process.close_lease(lease)
second = process.open_lease(wanted())
print(json.dumps([answers, report.journal_error, [call.status for call in report.calls], said(second)]))
process.stop()
"""


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_a_full_disk(tmp_path: Path, streamed: bool) -> None:
    """A call that is not on disk is never delivered: 507, or a stream that is cut; the next run is served."""
    server = FakeServer()
    if streamed:
        server.behave = upstream.stream([DELTA, END])
    script = FULL_DISK.format(
        limit=2000, root=str(Path.cwd()), streamed=streamed, url=server.url, folder=str(tmp_path)
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
        )
    finally:
        server.stop()
    answers, error, statuses, after = json.loads(done.stdout)
    assert error == "the gateway's journal: File too large"
    assert (statuses[0], statuses[-1]) == (200, 507)
    assert after[0] == 200
    if streamed:
        assert answers[0] == [200, (DELTA + END).decode()]
        assert answers[-1] == [0, "IncompleteRead"]
    else:
        assert json.loads(answers[-1][1])["error"]["code"] == "journal"
        assert (answers[0][0], answers[-1][0]) == (200, 507)
    kept = (tmp_path / "lease-1.jsonl").read_text().splitlines()
    assert [json.loads(line)["sequence"] for line in kept] == list(range(1, len(kept) + 1))
