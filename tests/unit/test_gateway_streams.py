"""Streams through the gateway: chat completions and Responses, metered without the client noticing."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from typing import Any

import pytest

from cluster.gateway.process import Lease
from shared.calls import Call
from tests.unit import upstream
from tests.unit.running_gateway import Got, RunningGateway, chat, post
from tests.unit.upstream import DELTA, END, USAGE


def event(body: dict[str, Any]) -> bytes:
    named = f"event: {body['type']}\n" if "type" in body else ""
    return f"{named}data: {json.dumps(body)}\n\n".encode()


def responses(lease: Lease, **extra: object) -> Got:
    return post(f"{lease.base_url}/responses", {"model": "m", "input": "Hi", **extra})


def only_call(gateway: RunningGateway, lease: Lease) -> Call:
    (call,) = gateway.close(lease).calls
    return call


def test_a_stream_is_metered_without_the_client_noticing(gateway: RunningGateway, lease: Lease) -> None:
    """Usage is asked for on the client's behalf, counted, and kept from a client that did not ask."""
    gateway.server.behave = upstream.stream([DELTA, USAGE, END])
    got = chat(lease, stream=True)
    assert (got.status, got.body) == (200, DELTA + END)
    assert gateway.server.bodies[0]["stream_options"] == {"include_usage": True}
    call = only_call(gateway, lease)
    assert (call.prompt_tokens, call.completion_tokens, call.streamed) == (5, 2, True)
    assert "stream_options" not in call.request


def test_options_of_the_client_s_own_are_kept(gateway: RunningGateway, lease: Lease) -> None:
    """Usage is added to stream options that say nothing of it."""
    gateway.server.behave = upstream.stream([DELTA, USAGE, END])
    assert chat(lease, stream=True, stream_options={"x": 1}).body == DELTA + END
    assert gateway.server.bodies[0]["stream_options"] == {"x": 1, "include_usage": True}


def test_a_client_that_asks_for_usage_gets_it(gateway: RunningGateway, lease: Lease) -> None:
    """A stream whose client asked for usage is passed on whole."""
    gateway.server.behave = upstream.stream([DELTA, USAGE, END])
    got = chat(lease, stream=True, stream_options={"include_usage": True})
    assert got.body == DELTA + USAGE + END


def test_usage_beside_the_last_words_reaches_the_client(gateway: RunningGateway, lease: Lease) -> None:
    """Some servers put usage into the last chunk that has choices: it is counted and not held back."""
    last = event(
        {
            "choices": [{"index": 0, "delta": {"content": "b"}}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 4},
        }
    )
    gateway.server.behave = upstream.stream([DELTA, last, END])
    assert chat(lease, stream=True).body == DELTA + last + END
    call = only_call(gateway, lease)
    assert (call.prompt_tokens, call.completion_tokens) == (9, 4)


def test_each_event_is_timed(gateway: RunningGateway, lease: Lease) -> None:
    """Times are one per event and rise; the first token is the first event with text, not the role's."""
    role = event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
    gateway.server.behave = upstream.stream(
        [role, b": still there\n\n", DELTA, DELTA, USAGE, END], pause_s=0.03
    )
    chat(lease, stream=True)
    call = only_call(gateway, lease)
    assert len(call.chunks_s) == len(call.response) == 4
    assert call.chunks_s == sorted(call.chunks_s)
    assert call.chunks_s == [round(at, 6) for at in call.chunks_s]
    assert call.first_byte_s is not None
    assert call.delivered_s is not None
    assert call.first_token_s == pytest.approx(call.chunks_s[1], abs=1e-6)
    assert call.first_token_s > call.first_byte_s + 0.02
    assert call.chunks_s[-1] < call.last_byte_s <= call.delivered_s


def test_the_servers_clock_in_a_stream(gateway: RunningGateway, lease: Lease) -> None:
    """llama.cpp says its times in the last event."""
    last = event(
        {
            "choices": [],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1},
            "timings": {"prompt_ms": 10, "predicted_ms": 20},
        }
    )
    gateway.server.behave = upstream.stream([DELTA, last, END])
    assert chat(lease, stream=True).body == DELTA + END
    call = only_call(gateway, lease)
    assert call.server
    assert (call.server.prefill_s, call.server.decode_s) == (0.01, 0.02)


def test_a_stream_that_stays_open_is_over_with_its_last_event(gateway: RunningGateway, lease: Lease) -> None:
    """The client need not wait for a server that does not hang up, and the next call is served."""
    for events, path, asked in (
        ([DELTA, USAGE, END], "chat/completions", {"stream": True}),
        (
            [event({"type": "response.completed", "response": {"status": "completed"}})],
            "responses",
            {"stream": True},
        ),
    ):
        gateway.server.behave = upstream.stays_open(events)
        began = time.monotonic()
        assert post(f"{lease.base_url}/{path}", asked).status == 200
        assert time.monotonic() - began < 30
    assert [call.error for call in gateway.close(lease).calls] == [None, None]
    assert gateway.serves_the_next_run()


def test_a_last_event_without_its_blank_line(gateway: RunningGateway, lease: Lease) -> None:
    """A stream that ends right after [DONE] is whole."""
    gateway.server.behave = upstream.stream([DELTA, b"data: [DONE]"])
    assert chat(lease, stream=True).body == DELTA + b"data: [DONE]"
    assert only_call(gateway, lease).error is None


CREATED = event(
    {"type": "response.created", "response": {"object": "response", "status": "in_progress", "error": None}}
)
WORD = event({"type": "response.output_text.delta", "delta": "h\u00e9"})
USED = {"input_tokens": 11, "input_tokens_details": {"cached_tokens": 5}, "output_tokens": 3}


def ended(status: str, **extra: object) -> bytes:
    response = {"object": "response", "status": status, "usage": USED, **extra}
    return event({"type": f"response.{status}", "response": response})


def test_a_responses_stream_passes_unchanged(gateway: RunningGateway, lease: Lease) -> None:
    """Event lines stay, nothing is asked for that the client did not ask, and the last event has the usage."""
    whole = [CREATED, WORD, WORD, ended("completed")]
    gateway.server.behave = upstream.stream(whole)
    got = responses(lease, stream=True)
    assert (got.status, got.body) == (200, b"".join(whole))
    assert gateway.server.bodies[0] == {"model": "m", "input": "Hi", "stream": True}
    call = only_call(gateway, lease)
    assert (call.prompt_tokens, call.completion_tokens, call.cached_tokens) == (11, 3, 5)
    assert (call.finish_reason, call.error, call.streamed) == ("stop", None, True)
    assert call.first_token_s == pytest.approx(call.chunks_s[1], abs=1e-6)
    assert len(call.response) == len(call.chunks_s) == 4


@pytest.mark.parametrize(
    ("last", "finish", "error"),
    [
        (ended("incomplete", incomplete_details={"reason": "max_output_tokens"}), "length", None),
        (ended("incomplete", incomplete_details={"reason": "content_filter"}), "content_filter", None),
        (ended("failed", error={"code": "server_error", "message": "planted"}), None, "planted"),
        (event({"type": "error", "code": "x", "message": "planted"}), None, "planted"),
        (WORD, None, "broke off"),
    ],
    ids=["length", "filter", "failed", "error", "cut"],
)
def test_how_a_responses_stream_ends(
    gateway: RunningGateway, lease: Lease, last: bytes, finish: str | None, error: str | None
) -> None:
    """The end of the text and the reason of a failure are read from the last event."""
    gateway.server.behave = upstream.stream([CREATED, last])
    assert responses(lease, stream=True).body == CREATED + last
    call = only_call(gateway, lease)
    assert call.finish_reason == finish
    assert (error or "") in (call.error or "")
    assert (call.error is None) == (error is None)


@pytest.mark.parametrize(
    ("body", "finish", "error"),
    [
        ({"status": "completed", "error": None}, "stop", None),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length", None),
        ({"status": "failed", "error": {"message": "planted"}}, None, "planted"),
    ],
)
def test_whole_responses(
    gateway: RunningGateway, lease: Lease, body: dict[str, Any], finish: str | None, error: str | None
) -> None:
    """The same of an answer that is not streamed."""
    content = json.dumps({"object": "response", "usage": USED, **body}).encode()
    gateway.server.behave = upstream.raw(content)
    assert responses(lease).body == content
    call = only_call(gateway, lease)
    assert (call.prompt_tokens, call.completion_tokens, call.cached_tokens) == (11, 3, 5)
    assert (call.finish_reason, call.error) == (finish, error)


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        (upstream.stream([DELTA], break_off=True), "broke off"),
        (upstream.stream([DELTA]), "broke off"),
        (upstream.stream([b"data: {nonsense\n\n", END]), "not a JSON object"),
        (upstream.stream([b": comment\n\n", END]), "no answer"),
        (upstream.stream([event({"error": {"message": "out of memory"}}), END]), "out of memory"),
        (upstream.stream([b"data: " + b"x" * 5_000_000]), "too large"),
        (upstream.endless(b"data: " + b"x" * 1_000_000 + b"\n\n", "text/event-stream", 100), "too large"),
    ],
    ids=["cut", "no end", "malformed", "empty", "error event", "endless event", "100 MB"],
)
def test_a_stream_that_goes_wrong(
    gateway: RunningGateway, lease: Lease, behave: upstream.Behaviour, error: str
) -> None:
    """A stream that breaks off or holds nonsense is recorded with the reason, and the next run is served."""
    gateway.server.behave = behave
    with contextlib.suppress(http.client.HTTPException, ConnectionError):
        chat(lease, stream=True)  # a stream that was cut is cut for the client too
    call = only_call(gateway, lease)
    assert call.status == 200
    assert call.error
    assert error in call.error
    assert gateway.serves_the_next_run()


def test_a_cut_stream_is_cut_for_the_client_too(gateway: RunningGateway, lease: Lease) -> None:
    """No client takes half an answer for a whole one."""
    gateway.server.behave = upstream.stream([DELTA], break_off=True)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        chat(lease, stream=True)
    assert only_call(gateway, lease).response == [json.loads(DELTA[6:])]
