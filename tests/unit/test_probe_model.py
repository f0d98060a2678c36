"""The probe: what it asks, how it times, and that no server makes it raise or tell its address."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster.probe_model import COMPLETION_TOKENS, MAX_ANSWER_BYTES, ProbeAnswer, as_probe, probe_model
from tests.unit.answering_server import Answer, AnsweringServer
from tests.unit.upstream import Behaviour, FakeServer, plain, status

TIMEOUT_S = 10.0
CHAT = "POST /v1/chat/completions"
SSE = {"Content-Type": "text/event-stream; charset=utf-8"}


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer()
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def service() -> Iterator[AnsweringServer]:
    with AnsweringServer() as answering:
        yield answering


def delta(**said: str | None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": said, "finish_reason": None}]}


def streamed(*steps: object) -> Behaviour:
    """Events one after the other; a number is a pause in seconds."""

    async def behave(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=SSE)
        await response.prepare(request)
        for step in steps:
            if isinstance(step, float):
                await asyncio.sleep(step)
            else:
                await response.write(f"data: {json.dumps(step)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    return behave


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


USAGE = {"choices": [], "usage": {"prompt_tokens": 151, "completion_tokens": 2}}


def test_a_stream_is_parted_at_its_first_token(server: FakeServer) -> None:
    """Prefill lasts until the first text, not the role before it; decode until the last; together the answer."""
    server.behave = streamed(delta(role="assistant", content=None), 0.3, delta(content="One"), 0.5, delta(content=" two"), USAGE)  # fmt: skip
    answer = probe_model(server.url, "m", TIMEOUT_S)
    assert answer.error is None
    assert (answer.prompt_tokens, answer.completion_tokens) == (151, 2)
    assert answer.text_sha256 == digest("One two")
    assert answer.seconds
    assert answer.prefill_s
    assert answer.decode_s
    assert answer.prefill_s >= 0.3
    assert answer.decode_s >= 0.25  # the first may have been noticed late on a busy machine
    assert answer.prefill_s + answer.decode_s <= answer.seconds


def test_every_probe_asks_the_same(server: FakeServer) -> None:
    """Two probes send the same body: fixed text, temperature 0, a seed, a limit, a stream with its usage."""
    server.behave = streamed(delta(content="x"))
    for _ in range(2):
        probe_model(server.url, "m", TIMEOUT_S)
    first, second = server.bodies
    assert first == second
    asked = {name: first[name] for name in ("model", "temperature", "max_tokens", "stream", "stream_options")}
    assert asked == {
        "model": "m",
        "temperature": 0,
        "max_tokens": COMPLETION_TOKENS,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert isinstance(first["seed"], int)
    assert 100 < len(first["messages"][0]["content"].split()) < 160


def test_a_thinking_model_begins_with_its_thoughts(server: FakeServer) -> None:
    """The first token of a model that thinks aloud is a thought, and thoughts are part of what must be the same."""
    server.behave = streamed(delta(reasoning_content="Hm"), 0.5, delta(content="One"))
    answer = probe_model(server.url, "m", TIMEOUT_S)
    assert answer.decode_s
    assert answer.decode_s >= 0.25
    assert answer.text_sha256 == digest("HmOne")


def test_an_answer_that_comes_whole(server: FakeServer) -> None:
    """A server that does not stream leaves prefill and decode unknown, unless it says them as llama.cpp does."""
    server.behave = plain
    answer = probe_model(server.url, "m", TIMEOUT_S)
    assert (answer.error, answer.prefill_s, answer.decode_s) == (None, None, None)
    assert (answer.prompt_tokens, answer.completion_tokens, answer.text_sha256) == (7, 3, digest("hé"))

    async def telling(_request: web.Request) -> web.StreamResponse:
        timings = {"prompt_n": 7, "prompt_ms": 250.0, "predicted_ms": 500}
        message = {"role": "assistant", "content": "hé"}
        return web.json_response({"choices": [{"message": message}], "timings": timings})

    server.behave = telling
    answer = probe_model(server.url, "m", TIMEOUT_S)
    assert (answer.prefill_s, answer.decode_s) == (0.25, 0.5)
    assert answer.prompt_tokens is None


def test_a_server_that_breaks_off(server: FakeServer) -> None:
    """A stream that ends in an error event, or in the middle, is a failed probe without figures."""
    server.behave = streamed(delta(content="One"), {"error": {"message": "out of memory"}})
    assert probe_model(server.url, "m", TIMEOUT_S) == ProbeAnswer(
        None, error="the server broke off with an error"
    )

    async def dropped(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=SSE)
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(f"data: {json.dumps(delta(content='One'))}\n\n".encode())
        assert request.transport
        request.transport.abort()
        return response

    server.behave = dropped
    answer = probe_model(server.url, "m", TIMEOUT_S)
    assert answer.seconds is None
    assert answer.error
    assert answer.error.startswith("it failed")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "the answer has no text"),
        (b"data: [DONE]\n\n", "the answer has no text"),
        (b"data: nonsense\n\n", "form of OpenAI"),
        (b"data: [1]\n\n", "form of OpenAI"),
        (b'data: {"choices": [{"delta": {"content": 7}}]}\n\n', "the answer has no text"),
        (b"data: " + b"[" * 100_000 + b"\n\n", "form of OpenAI"),
        (b": " + b"x" * MAX_ANSWER_BYTES + b"\n\n", "form of OpenAI"),
    ],
    ids=["empty", "no event", "no JSON", "a list", "a number", "deep", "endless"],
)
def test_a_malformed_stream(service: AnsweringServer, body: bytes, error: str) -> None:
    """Each is told apart in words, and no figure is given."""
    service.answers[CHAT] = Answer(body, headers=SSE)
    answer = probe_model(f"{service.origin}/v1", "m", TIMEOUT_S)
    assert answer.seconds is None
    assert answer.error
    assert error in answer.error


def test_a_refusal_tells_its_status_but_no_address(server: FakeServer) -> None:
    """429 and 500 are named; the address, which is a run's secret, is in no error."""
    for code in (429, 500):
        server.behave = status(code)
        answer = probe_model(server.url.replace("/v1", "/v1/secret-token"), "m", TIMEOUT_S)
        assert answer.error == f"the server answered {code}"
    assert probe_model("http://127.0.0.1:9/secret-token/v1", "m", TIMEOUT_S).error == (
        "it failed: ConnectionRefusedError"
    )


def test_a_redirect_is_not_followed(service: AnsweringServer) -> None:
    """The probe measures the server it was sent to or none."""
    with AnsweringServer() as elsewhere:
        service.answers[CHAT] = Answer(b"", 302, {"Location": f"{elsewhere.origin}/"})
        assert probe_model(f"{service.origin}/v1", "m", TIMEOUT_S).error == "the server answered 302"
        assert elsewhere.asked == []


def test_the_whole_request_has_a_deadline(server: FakeServer) -> None:
    """A server that says nothing, and one that goes on and on, are given up after the time-out."""
    for behave in (streamed(30.0), streamed(*[delta(content="x"), 0.1] * 300)):
        server.behave = behave
        began = time.monotonic()
        answer = probe_model(server.url, "m", 0.5)
        assert answer.error == "no answer within 0.5 s"
        assert time.monotonic() - began < 30


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.one_of(
        st.binary(max_size=300),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["choices", "delta", "message", "content", "usage", "timings", "prompt_ms", "prompt_tokens", "error"]), inner, max_size=4)
            ),
        ).map(lambda value: f"data: {json.dumps(value)}\n\n".encode()),
    ),
    as_stream=st.booleans(),
)  # fmt: skip
def test_no_answer_breaks_the_probe(service: AnsweringServer, body: bytes, as_stream: bool) -> None:
    """Any bytes, streamed or whole, give a probe that can be recorded: figures or an error."""
    whole = body if as_stream else body.removeprefix(b"data: ")
    service.answers[CHAT] = Answer(whole, headers=SSE if as_stream else {})
    answer = probe_model(f"{service.origin}/v1", "m", TIMEOUT_S)
    assert (answer.seconds is None) == (answer.error is not None)
    as_probe(answer, number=1, node="n", block="t.i.1", when="before", at="2026-01-01T00:00:00+00:00")


def test_the_record_of_a_probe() -> None:
    """A probe's record is the answer with its place and time; of a failed one, the error."""
    place: dict[str, Any] = {
        "number": 3,
        "node": "n",
        "block": "t.i.1",
        "when": "after",
        "at": "2026-01-01T00:00:00Z",
    }
    good = as_probe(ProbeAnswer(1.5, 150, 24, 1.0, 0.5, "ab"), **place)
    assert good.model_dump() == place | {
        "seconds": 1.5,
        "prompt_tokens": 150,
        "completion_tokens": 24,
        "prefill_s": 1.0,
        "decode_s": 0.5,
        "text_sha256": "ab",
        "error": None,
    }
    assert as_probe(ProbeAnswer(None, error="no answer within 5 s"), **place).error == "no answer within 5 s"
