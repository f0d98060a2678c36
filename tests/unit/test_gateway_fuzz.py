"""The running gateway under input that nobody meant: it answers, records, and serves the next run."""

from __future__ import annotations

import contextlib
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.tasks.toolbox import DEFAULT, Toolbox
from tests.unit import upstream
from tests.unit.running_gateway import Got, RunningGateway, chat, post, running_gateway
from tests.unit.upstream import DELTA, END, USAGE

EXAMPLES = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
"""A process and a server are asked for each: enough to try them, few enough to wait for."""

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
ENDPOINTS = st.sampled_from(["chat/completions", "responses", "embeddings"])
BODIES = st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()) | st.builds(
    lambda stream, messages: json.dumps({"stream": stream, "messages": messages}).encode(), SCALARS, JSON
)  # fmt: skip
EVENTS = st.sampled_from(
    [
        DELTA, USAGE, END, b": ping\n\n", b"data:\n\n", b"event: response.created\n", b"\r\n\r\n", b"data: {\n",
        b'data: {"type":"response.completed","response":{"usage":{"input_tokens":1}}}\n\n',
        b'data: {"type":"response.failed","response":{"error":{"message":"x"}}}\n\n', b'data: {"error":1}\n\n',
    ]
)  # fmt: skip


@pytest.fixture(scope="module")
def gateway() -> Iterator[RunningGateway]:
    with running_gateway() as found:
        yield found


def asked(url: str, body: bytes) -> Got | None:
    """None for a connection that the gateway cut, as it does with half a stream."""
    with contextlib.suppress(http.client.HTTPException, ConnectionError):
        return post(url, body)
    return None


@EXAMPLES
@given(st.lists(st.tuples(ENDPOINTS, BODIES), min_size=1, max_size=4))
def test_any_request(gateway: RunningGateway, requests: list[tuple[str, bytes]]) -> None:
    """Whatever a client sends reaches the server as it is, is answered, and is recorded in order."""
    gateway.server.reset()
    with gateway.lease() as lease:
        for endpoint, body in requests:
            got = post(f"{lease.base_url}/{endpoint}", body)
            assert (got.status, json.loads(got.body)) == (200, upstream.ANSWER)
        calls = gateway.close(lease).calls
    assert [(call.sequence, call.path) for call in calls] == [
        (number, f"/v1/{endpoint}") for number, (endpoint, _) in enumerate(requests, start=1)
    ]


@EXAMPLES
@given(ENDPOINTS, st.booleans(), st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_answer(gateway: RunningGateway, endpoint: str, streamed: bool, content: bytes) -> None:
    """Whatever a server says reaches the client byte for byte, and the record says what was wrong with it."""
    gateway.server.behave = upstream.raw(content)
    with gateway.lease() as lease:
        got = post(f"{lease.base_url}/{endpoint}", {"stream": streamed})
        (call,) = gateway.close(lease).calls
    assert (got.status, got.body) == (200, content)
    assert call.error or isinstance(call.response, dict)


@EXAMPLES
@given(
    st.sampled_from(["chat/completions", "responses"]),
    st.lists(EVENTS | st.binary(max_size=30), max_size=8),
    st.booleans(),
)
def test_any_stream(gateway: RunningGateway, endpoint: str, events: list[bytes], cut: bool) -> None:
    """Whatever comes as a stream ends for the client and in the record; nothing is added to it."""
    gateway.server.behave = upstream.stream(events, break_off=cut)
    with gateway.lease() as lease:
        got = asked(
            f"{lease.base_url}/{endpoint}", b'{"stream":true,"stream_options":{"include_usage":true}}'
        )
        (call,) = gateway.close(lease).calls
    assert call.status == 200
    if got is None:
        assert call.error
    else:
        assert b"".join(events).startswith(got.body)
    assert len(call.chunks_s) == len(call.response)


@EXAMPLES
@given(
    st.text(min_size=1, max_size=20),
    st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()),
    JSON,
)
def test_any_tool_call(gateway: RunningGateway, name: str, arguments: bytes, data: Any) -> None:
    """Any name, any arguments and any data of a tool end as an answer and a record."""
    with gateway.lease(toolbox=Toolbox(module=DEFAULT, data=data)) as lease:
        for tool in ("search", urllib.request.quote(name, safe="")):
            asked(f"{lease.tools_url}/{tool}", arguments)
        calls = gateway.close(lease).calls
    assert {call.status for call in calls} <= {200, 400, 404, 500}
    assert calls[0].path == "/tools/search"


@EXAMPLES
@given(
    st.binary(max_size=60)
    | st.fixed_dictionaries(
        {"run_id": SCALARS, "kind": st.sampled_from(["run", "judge", "x"]), "deadline_s": SCALARS},
        optional={"traceparent": SCALARS, "replay": JSON, "toolbox": JSON, "max_model_calls": SCALARS, "nonsense": JSON},
    ).map(lambda body: json.dumps(body).encode())
)  # fmt: skip
def test_any_request_for_a_lease(gateway: RunningGateway, body: bytes) -> None:
    """The node's side takes a lease that makes sense, and refuses anything else in words, on one line."""
    process = gateway.process._process
    assert process
    line = b'{"do": "open", "lease": %b}' % body.replace(b"\n", b" ")
    answer = json.loads(process.ask(line, 10))
    if "token" in answer:
        closing = json.dumps({"do": "close", "token": answer["token"]}).encode()
        assert json.loads(process.ask(closing, 10))["calls"] == []
    else:
        assert answer["error"]


def test_it_still_serves(gateway: RunningGateway) -> None:
    """After all that, a run is served and nothing is said to be in flight."""
    assert gateway.serves_the_next_run()
    with gateway.lease() as lease:
        assert chat(lease).status == 200
        assert gateway.process.status().in_flight == 0
