"""What the gateway reads from bytes and adds up from calls."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.gateway.answers import read_body, read_events
from cluster.gateway.events import (
    CHAT,
    RESPONSES,
    ends_stream,
    event_data,
    is_plain_delta,
    is_usage_only,
    split_events,
    whole_events,
)
from cluster.gateway.exchange import Exchange
from cluster.gateway.intervals import union_seconds
from cluster.gateway.lease import LeaseRequest, OpenLease
from cluster.gateway.parsing import MAX_DEPTH, canonical, dump_json, parse_json
from cluster.gateway.passing import PassingStream
from cluster.gateway.request import read_request
from shared.calls import Call

NAMES = [
    "usage",
    "choices",
    "delta",
    "content",
    "type",
    "response",
    "error",
    "message",
    "timings",
    "prompt_ms",
]
TYPES = st.sampled_from(["error", "response.completed", "response.failed", "response.output_text.delta"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | TYPES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
LINES = st.sampled_from(
    [
        b"data: [DONE]",
        b"data: {}",
        b'data: {"usage":{},"choices":[]}',
        b"event: x",
        b": ping",
        b"",
        b"\r",
        b"data",
    ]
)
STREAMS = st.lists(LINES | st.binary(max_size=12), max_size=20).flatmap(
    lambda lines: st.sampled_from([b"\n", b"\r\n"]).map(lambda end: end.join(lines) + end)
)


def exchange(path: str = CHAT) -> Exchange:
    lease = OpenLease("t", LeaseRequest(run_id="r", kind="run", deadline_s=9), 0.0, clock=lambda: 1.5)
    return Exchange(lease, 1, path, 0.0)


@given(st.binary(), st.sampled_from([200, 400, 500]))
def test_any_bytes_are_read(content: bytes, status: int) -> None:
    """No answer of a server makes the reader raise; what is not an answer says why."""
    reading = read_body(content, status)
    assert reading.error or isinstance(reading.body, dict)


@given(JSON)
def test_any_json_is_read(value: object) -> None:
    """Strange shapes where usage, times and choices are expected are passed over; no count is below zero."""
    content = json.dumps(value).encode()
    for reading in (read_body(content, 200), read_events([content], complete=True)):
        for count in (reading.prompt_tokens, reading.completion_tokens, reading.cached_tokens):
            assert count is None or count >= 0
        if reading.server:
            assert all(
                s is None or 0 <= s < math.inf for s in (reading.server.prefill_s, reading.server.decode_s)
            )
        dump_json(reading.body)
    is_usage_only(content)
    ends_stream(RESPONSES, content)


@given(JSON)
def test_whatever_is_parsed_can_be_written(value: object) -> None:
    """What came as JSON is kept as JSON that strict readers take, and is the same when it is read again."""
    parsed = parse_json(json.dumps(value).encode())
    again = parse_json(dump_json(parsed))
    assert dump_json(again) == dump_json(parsed)
    assert canonical(again) == canonical(parsed)


@given(st.binary())
def test_what_is_no_json_is_a_value_error(content: bytes) -> None:
    """Nothing else is raised, whatever the bytes."""
    try:
        dump_json(parse_json(content))
    except ValueError:
        assert content.decode("utf-8", "replace") is not None


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (b'"a\\ud800b \\u00e9"', "a?b \u00e9"),
        (b"[NaN, -Infinity, 1e999]", ["NaN", "-Infinity", "Infinity"]),
        (b"\xef\xbb\xbf{}", {}),
        (b"18446744073709551615", 2**64 - 1),
        (b"[18446744073709551616, NaN]", [2.0**64, "NaN"]),
        (b"9" * 5000, "9" * 5000),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
    ],
    ids=["half a pair", "not finite", "byte order mark", "large", "larger", "5,000 digits", "deep"],
)
def test_json_at_its_edges(content: bytes, kept: object) -> None:
    """What real clients and servers write beyond the standard is kept as near as JSON can."""
    parsed = parse_json(content)
    assert kept is None or parsed == kept
    Call.model_validate(
        {
            "sequence": 1,
            "kind": "model",
            "path": "/",
            "arrived_s": 0,
            "last_byte_s": 0,
            "status": 200,
            "request": parsed,
        }
    ).model_dump_json()


@pytest.mark.parametrize(
    "content",
    [
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"\xff\xfe{\x00}\x00",
    ],
    ids=["deeper", "bottomless", "UTF-16"],
)
def test_json_beyond_its_edges(content: bytes) -> None:
    """What could not be written again is no JSON here."""
    with pytest.raises(ValueError):  # noqa: PT011 - any reason will do
        parse_json(content)


@given(STREAMS, st.integers(1, 20))
def test_events_are_found_however_they_are_cut(whole: bytes, size: int) -> None:
    """Splitting as bytes come gives the same events as splitting at once, and loses no byte."""
    at_once, rest_at_once = split_events(whole)
    piecewise, rest = [], b""
    for start in range(0, len(whole), size):
        complete, rest = whole_events(rest, whole[start : start + size])
        events, nothing = split_events(complete)
        assert nothing == b""
        piecewise += events
    assert piecewise == at_once
    assert rest == rest_at_once
    assert b"".join(piecewise) + rest == whole
    for event in piecewise:
        event_data(event)


@given(STREAMS, st.integers(1, 20), st.sampled_from([CHAT, RESPONSES]))
def test_a_stream_is_passed_on_whole(whole: bytes, size: int, path: str) -> None:
    """However it is cut, the client gets the stream up to its last event byte for byte, and that one at the end."""
    call = exchange(path)
    passing = PassingStream(call, hide_usage=False)
    passed = b""
    for start in range(0, len(whole), size):
        passed += passing.take(whole[start : start + size])
        if passing.ended:
            break
    else:
        passing.close()
    passing.read()
    assert whole.startswith(passed + passing.ending)
    if not passing.ended:
        assert passed + passing.ending == whole
    assert len(call.chunks_s) == len(call.reading.body)
    assert call.call().chunks_s == [1.5] * len(call.chunks_s)


@given(
    st.binary(max_size=200),
    st.dictionaries(st.sampled_from(["User-Agent", "x-stainless-retry-count"]), st.text()),
)
def test_any_request_is_noted(content: bytes, headers: dict[str, str]) -> None:
    """Whatever a client sends goes on as it is, and can be written down."""
    call = exchange()
    assert read_request(call, content, headers) == content or call.streamed
    assert len(call.client) <= 200
    assert call.client.isprintable()
    dump_json(call.request)


@given(
    st.dictionaries(st.text(max_size=5), JSON, max_size=4),
    st.sampled_from([None, {}, {"x": 1}, {"include_usage": True}, 5]),
)
def test_a_stream_is_asked_for_usage_and_nothing_else(rest: dict[str, Any], options: object) -> None:
    """All that the client said is still there; only the wish for usage is added to it."""
    body = {**rest, "stream": True} | ({} if options is None else {"stream_options": options})
    content = json.dumps(body).encode()
    sent = json.loads(read_request(exchange(), content, {}))
    assert sent.pop("stream_options")["include_usage"] is True
    asked = json.loads(content)
    asked.pop("stream_options", None)
    assert json.dumps(sent) == json.dumps(asked)


@pytest.mark.parametrize(
    ("delta", "carries"),
    [
        ({"content": "a"}, True),
        ({"reasoning_content": "hm"}, True),
        ({"tool_calls": [{"index": 0}]}, True),
        ({"role": "assistant", "content": ""}, False),
        ({"role": "assistant", "content": None, "tool_calls": []}, False),
        ({}, False),
        ("a", False),
    ],
)
def test_what_counts_as_the_first_token(delta: object, carries: bool) -> None:
    """Text, thinking aloud and tool calls do; a role and empty fields do not."""
    events = [b"nonsense", json.dumps({"choices": [{"delta": delta}]}).encode()]
    assert read_events(events, complete=True).first_token == (1 if carries else None)


@pytest.mark.parametrize(
    ("event", "carries"),
    [
        ({"type": "response.created"}, False),
        ({"type": "response.output_text.delta", "delta": "a"}, True),
        ({"type": "response.output_text.delta", "delta": ""}, False),
        ({"type": "response.function_call_arguments.delta", "delta": "{"}, True),
        ({"type": "response.output_item.added", "item": {"type": "function_call"}}, True),
        ({"type": "response.output_item.added", "item": {"type": "message"}}, False),
    ],
)
def test_the_first_token_of_responses(event: dict[str, Any], carries: bool) -> None:
    """The same for events of the Responses API."""
    assert read_events([json.dumps(event).encode()], complete=True).first_token == (0 if carries else None)


@pytest.mark.parametrize(
    ("events", "plain"),
    [
        (b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n', True),
        (b"data: [DONE]\n\n", False),
        (b'data: {"choices":[],"usage" : {}}\n\n', False),
        (b'data: {"type":"response.completed"}\n\n', False),
    ],
)
def test_most_events_need_no_second_look(events: bytes, plain: bool) -> None:
    """The cheap first look finds every event that may end a stream or carry its usage."""
    assert is_plain_delta(events) == plain


def call(start: float, end: float, kind: str = "model") -> Call:
    return Call.model_validate(
        {"sequence": 1, "kind": kind, "path": "/", "arrived_s": start, "last_byte_s": end, "status": 200}
    )


def test_overlapping_calls_count_once() -> None:
    """The union of the intervals, by hand: [0,2] + [1,3] + [5,6] is 4 s, and other kinds do not count."""
    calls = [call(5, 6), call(0, 2), call(1, 3), call(0, 100, "tool")]
    assert union_seconds(calls, "model") == 4
    assert union_seconds(calls, "tool") == 100


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 10))))
def test_the_union_is_between_the_longest_and_the_sum(spans: list[tuple[float, float]]) -> None:
    """A union is never longer than the sum of its parts nor shorter than the longest."""
    union = union_seconds([call(start, start + length) for start, length in spans], "model")
    lengths = [(start + length) - start for start, length in spans]
    assert union <= sum(lengths) + 1e-6
    assert union >= max(lengths, default=0) - 1e-6
