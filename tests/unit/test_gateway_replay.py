"""Recorded answers given again by the real gateway: the same, a failure as a failure, in either form."""

from __future__ import annotations

import contextlib
import http.client
import json
from typing import Any

import pytest

from cluster.gateway.process import GatewayProcess, Lease
from cluster.gateway.recorded import RecordedAnswer, recorded_answer
from shared.calls import Call
from tests.unit import upstream
from tests.unit.running_gateway import Got, RunningGateway, chat, post
from tests.unit.upstream import DELTA, END, USAGE

CHAT = "/v1/chat/completions"


def asked(**extra: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [], **extra}


def said(text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return upstream.ANSWER | {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def recorded(request: dict[str, Any], response: Any, status: int = 200, **fields: Any) -> RecordedAnswer:
    return RecordedAnswer(path=CHAT, request=request, response=response, status=status, **fields)


def text_of(got: Got) -> str:
    text: str = json.loads(got.body)["choices"][0]["message"]["content"]
    return text


def ask_all(lease: Lease, requests: list[tuple[str, dict[str, Any]]]) -> list[tuple[int, bytes] | None]:
    """Each answer's status and body; None for a connection that was cut."""
    found: list[tuple[int, bytes] | None] = []
    for path, body in requests:
        answer = None
        with contextlib.suppress(http.client.HTTPException, ConnectionError):
            got = post(f"{lease.base_url}/{path}", body)
            answer = (got.status, got.body)
        found.append(answer)
    return found


TIMES = {
    "arrived_s",
    "forwarded_s",
    "first_byte_s",
    "first_token_s",
    "last_byte_s",
    "delivered_s",
    "chunks_s",
}


def timeless(call: Call) -> dict[str, Any]:
    return call.model_dump(exclude=TIMES)


def test_a_run_replayed_is_the_run_again(gateway: RunningGateway) -> None:
    """Whole answers, streams, Responses, embeddings, refusals, nonsense and cut streams: all as they were."""
    answered = b'{"object":"response","status":"completed","usage":{"input_tokens":1,"output_tokens":2}}'
    finished = (
        b'event: response.completed\ndata: {"type":"response.completed","response":' + answered + b"}\n\n"
    )
    word = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"a"}\n\n'
    steps = [
        ("chat/completions", asked(n=1), upstream.raw(json.dumps(said("a"), separators=(",", ":")).encode())),
        ("chat/completions", asked(n=2, stream=True), upstream.stream([DELTA, DELTA, USAGE, END])),
        ("chat/completions", asked(n=3), upstream.raw(b'{"error":{"message":"busy"}}')),
        ("chat/completions", asked(n=4), upstream.raw(b"<html>")),
        ("chat/completions", asked(n=5), upstream.status(302)),
        ("chat/completions", asked(n=6, stream=True), upstream.stream([DELTA, DELTA], break_off=True)),
        ("responses", asked(n=7, stream=True), upstream.stream([word, finished])),
        ("responses", asked(n=8), upstream.raw(answered)),
        (
            "embeddings",
            {"input": "a"},
            upstream.raw(b'{"data":[{"embedding":[0.5]}],"usage":{"prompt_tokens":1}}'),
        ),
        ("chat/completions", asked(n=9), upstream.raw(b"null")),
    ]
    requests = [(path, body) for path, body, _ in steps]
    gateway.server.behave = upstream.one_after_another(*(behave for _, _, behave in steps))
    with gateway.lease() as live:
        first = ask_all(live, requests)
        recording = gateway.close(live).calls
    gateway.server.reset()
    with gateway.lease(replay=[recorded_answer(call) for call in recording]) as replayed:
        second = ask_all(replayed, requests)
        calls = gateway.close(replayed).calls
    assert gateway.server.bodies == []
    assert [got is None for got in first] == [False] * 5 + [True] + [False] * 4
    assert second[5] is None
    for then, now in zip(first[:4] + first[5:9], second[:4] + second[5:9], strict=True):
        assert squeezed(now) == squeezed(then)
    assert [timeless(call) for call in calls[:9]] == [timeless(call) for call in recording[:9]]
    assert (calls[9].status, second[9] and second[9][0]) == (502, 502)


def squeezed(got: tuple[int, bytes] | None) -> tuple[int, bytes] | None:
    """Spaces between JSON's parts say nothing."""
    return got and (got[0], got[1].replace(b": ", b":").replace(b":", b": "))


def test_the_same_request_gets_its_own_answer(gateway: RunningGateway) -> None:
    """The order of keys does not matter; what no request was recorded for gets the next one, and is noted."""
    replay = [recorded(asked(n=n), said(f"to {n}")) for n in (1, 2, 3)]
    with gateway.lease(replay=replay) as lease:
        assert text_of(chat(lease, n=2)) == "to 2"
        got = post(f"{lease.base_url}/chat/completions", {"n": 1, "messages": [], "model": "m"})
        assert text_of(got) == "to 1"
        assert text_of(chat(lease, n=2)) == "to 3"
        over = chat(lease, n=3)
        calls = gateway.close(lease).calls
    assert (over.status, json.loads(over.body)["error"]["code"]) == (424, "replay_exhausted")
    assert [call.recorded for call in calls] == [None, None, asked(n=3), None]
    assert [call.status for call in calls] == [200, 200, 200, 424]
    assert calls[3].error
    assert "asks more often" in calls[3].error
    assert gateway.serves_the_next_run()


def test_a_failure_and_its_retry_are_replayed(gateway: RunningGateway) -> None:
    """A recorded refusal is a refusal again, and what repeats it is a retry again."""
    busy = recorded(asked(), {"error": {"message": "busy"}}, status=429, error="busy")
    gone = recorded(asked(), None, status=499, error="the client hung up")
    with gateway.lease(replay=[busy, gone, recorded(asked(), said("at last"))]) as lease:
        assert [chat(lease).status for _ in range(3)] == [429, 504, 200]
        calls = gateway.close(lease).calls
    assert [call.retry_of for call in calls] == [None, 1, 2]
    assert [call.error for call in calls[:1]] == ["busy"]


def test_a_stream_for_a_client_that_wants_it_whole(gateway: RunningGateway) -> None:
    """Texts and tool calls are put together, with the usage."""
    parts: list[dict[str, Any]] = [
        {"role": "assistant", "content": ""},
        {"content": "a"},
        {"content": "b"},
        {
            "tool_calls": [
                {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"q'}}
            ]
        },
        {
            "tool_calls": [
                {"index": 1, "id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}}
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": '":1}'}}]},
    ]
    events: list[Any] = [
        {"id": "x", "choices": [{"index": 0, "delta": part, "finish_reason": None}]} for part in parts
    ]
    events += [{"id": "x", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}]
    events += [{"id": "x", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}]
    with gateway.lease(replay=[recorded(asked(stream=True), events, streamed=True)]) as lease:
        body = json.loads(chat(lease).body)
        (call,) = gateway.close(lease).calls
    (choice,) = body["choices"]
    assert choice["message"]["content"] == "ab"
    assert choice["finish_reason"] == "tool_calls"
    assert [(c["id"], c["function"]) for c in choice["message"]["tool_calls"]] == [
        ("c1", {"name": "f", "arguments": '{"q":1}'}),
        ("c2", {"name": "g", "arguments": "{}"}),
    ]
    assert "index" not in choice["message"]["tool_calls"][0]
    assert (call.prompt_tokens, call.completion_tokens, call.streamed) == (5, 2, False)
    assert call.recorded == asked(stream=True)


@pytest.mark.parametrize("wants_usage", [False, True])
def test_a_whole_answer_for_a_client_that_streams(gateway: RunningGateway, wants_usage: bool) -> None:
    """One event with all of it, usage only when it is asked for, and the end."""
    options = {"stream_options": {"include_usage": True}} if wants_usage else {}
    with gateway.lease(replay=[recorded(asked(), said("all of it"))]) as lease:
        body = chat(lease, stream=True, **options).body
        (call,) = gateway.close(lease).calls
    *events, done = [part.removeprefix(b"data: ") for part in body.strip().split(b"\n\n")]
    assert done == b"[DONE]"
    assert json.loads(events[0])["choices"][0]["delta"]["content"] == "all of it"
    assert len(events) == (2 if wants_usage else 1)
    assert (call.prompt_tokens, call.completion_tokens, call.streamed) == (7, 3, True)
    assert call.first_token_s is not None


@pytest.mark.parametrize("streamed", [False, True])
def test_responses_are_not_converted(gateway: RunningGateway, streamed: bool) -> None:
    """The Responses API has no conversion: 409 says so."""
    response: Any = {"object": "response", "status": "completed"}
    if streamed:
        response = [{"type": "response.completed", "response": response}]
    answer = RecordedAnswer(
        path="/v1/responses", request={}, response=response, status=200, streamed=streamed
    )
    with gateway.lease(replay=[answer]) as lease:
        got = post(f"{lease.base_url}/responses", {"stream": not streamed})
        assert (got.status, json.loads(got.body)["error"]["code"]) == (409, "replay_form")


def test_answers_stay_with_their_path(gateway: RunningGateway) -> None:
    """A chat's answer is never given to a request for embeddings."""
    with gateway.lease(replay=[recorded(asked(), said("a"))]) as lease:
        assert post(f"{lease.base_url}/embeddings", asked()).status == 424
        assert chat(lease).status == 200


def test_recorded_times_are_kept(gateway: RunningGateway) -> None:
    """In time, a stream's first byte, its gaps and its end come as late as they did; at once, nothing waits."""
    events = [
        json.loads(DELTA[6:]),
        json.loads(DELTA[6:]),
        {"choices": [], "usage": {}, "timings": {"prompt_ms": 150}},
    ]
    answer = recorded(
        asked(stream=True), events, streamed=True, first_byte_s=0.2, chunks_s=[0.2, 0.5, 0.6], last_byte_s=0.7
    )
    whole = recorded(asked(), said("a") | {"timings": {"prompt_ms": 5}}, first_byte_s=0.3, last_byte_s=0.4)
    calls = {}
    for timing in ("recorded", "instant"):
        with gateway.lease(replay=[answer, whole], replay_timing=timing) as lease:
            chat(lease, stream=True)
            chat(lease)
            calls[timing] = gateway.close(lease).calls
    slow, slow_whole = calls["recorded"]
    assert slow.forwarded_s is not None
    assert slow.first_byte_s is not None
    # Never early; how late depends on the machine.
    assert slow.first_byte_s - slow.forwarded_s >= 0.2
    for came, then in zip(slow.chunks_s, answer.chunks_s, strict=True):
        assert came - slow.forwarded_s >= then - 1e-6
    assert slow.last_byte_s - slow.forwarded_s >= 0.7
    assert slow_whole.last_byte_s - (slow_whole.forwarded_s or 0) >= 0.4
    assert slow.server
    assert slow.server.prefill_s == 0.15
    for call in calls["instant"]:
        assert call.last_byte_s - call.arrived_s < slow.last_byte_s - slow.arrived_s
        assert call.server is None


def test_a_recording_slower_than_the_time_there_is(gateway: RunningGateway) -> None:
    """An answer that took longer than requests may take now is a time-out now."""
    late = recorded(asked(), said("a"), last_byte_s=60)
    with gateway.lease(replay=[late], replay_timing="recorded", request_timeout_s=0.3) as lease:
        assert chat(lease).status == 504
        assert "takes longer than" in str(gateway.close(lease).calls[0].error)


def test_a_gateway_without_a_server(tmp_path: Any) -> None:
    """Recordings are served with no model behind; anything else is told that there is none."""
    process = GatewayProcess()
    process.start("", None, tmp_path)
    gateway = RunningGateway(None, process, tmp_path)  # type: ignore[arg-type] - there is none
    try:
        with gateway.lease(replay=[recorded(asked(), said("a"))]) as lease:
            with contextlib.closing(http.client.HTTPConnection(*address(lease))) as client:
                client.request("GET", f"{path_of(lease)}/models")
                listed = json.loads(client.getresponse().read())
            assert [card["id"] for card in listed["data"]] == ["m"]
            assert text_of(chat(lease)) == "a"
        with gateway.lease(kind="judge") as judging:
            got = chat(judging)
            assert (got.status, json.loads(got.body)["error"]["code"]) == (404, "no_model_server")
    finally:
        process.stop()


def address(lease: Lease) -> tuple[str, int]:
    host, _, port = lease.base_url.removeprefix("http://").partition("/")[0].partition(":")
    return host, int(port)


def path_of(lease: Lease) -> str:
    return "/" + lease.base_url.removeprefix("http://").partition("/")[2]


def test_times_become_relative() -> None:
    """A recorded answer counts from when its request was passed on."""
    call = Call(
        sequence=1, kind="model", path=CHAT, arrived_s=9, forwarded_s=10, first_byte_s=10.5, last_byte_s=13,
        chunks_s=[10.5, 12], status=200, streamed=True, request={"a": 1}, response=[{}, {}],
    )  # fmt: skip
    answer = recorded_answer(call)
    assert (answer.first_byte_s, answer.chunks_s, answer.last_byte_s) == (0.5, [0.5, 2], 3)
    assert RecordedAnswer.model_validate_json(answer.model_dump_json()) == answer


def test_a_call_of_the_first_schema_can_be_replayed(gateway: RunningGateway) -> None:
    """Records without times of chunks give their events at the first byte and end when they ended."""
    call = Call(
        sequence=1, kind="model", path=CHAT, arrived_s=0, forwarded_s=0, first_byte_s=0.1, last_byte_s=0.2,
        status=200, streamed=True, request=asked(stream=True), response=[json.loads(DELTA[6:])] * 3,
    )  # fmt: skip
    with gateway.lease(replay=[recorded_answer(call)], replay_timing="recorded") as lease:
        assert chat(lease, stream=True).body.count(b"data: {") == 3
        (again,) = gateway.close(lease).calls
    assert again.chunks_s[-1] <= again.last_byte_s
    assert again.last_byte_s - (again.forwarded_s or 0) >= 0.2
