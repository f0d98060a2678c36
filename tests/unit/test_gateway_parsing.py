"""What the gateway reads from bytes and adds up from calls."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from cluster.gateway.answers import read_body, read_events
from cluster.gateway.events import event_data, is_usage_only, split_events
from cluster.gateway.intervals import union_seconds
from shared.calls import Call

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["usage", "choices", "x"]), inner),
)


@given(st.binary(), st.sampled_from([200, 400, 500]))
def test_any_bytes_are_read(content: bytes, status: int) -> None:
    """No answer of a server makes the reader raise; what is not an answer says why."""
    reading = read_body(content, status)
    assert reading.error or isinstance(reading.body, dict)


@given(JSON)
def test_any_json_is_read(value: object) -> None:
    """Strange shapes where usage and choices are expected are passed over, and counts are never negative."""
    for reading in (
        read_body(json.dumps(value).encode(), 200),
        read_events([json.dumps(value).encode()], complete=True),
    ):
        assert reading.prompt_tokens is None or reading.prompt_tokens >= 0
    is_usage_only(json.dumps(value).encode())


@given(st.lists(st.binary(max_size=30)), st.integers(1, 20))
def test_events_are_found_however_they_are_cut(parts: list[bytes], size: int) -> None:
    """Splitting as bytes come gives the same events as splitting at once, and loses no byte."""
    whole = b"\n\n".join(parts)
    at_once, rest_at_once = split_events(whole)
    piecewise: list[bytes] = []
    rest = b""
    for start in range(0, len(whole), size):
        events, rest = split_events(rest + whole[start : start + size])
        piecewise += events
    assert b"".join(piecewise) + rest == whole
    assert b"".join(at_once) + rest_at_once == whole
    for event in piecewise:
        event_data(event)


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


def test_half_a_surrogate_pair_can_be_kept() -> None:
    """What JSON can spell and UTF-8 cannot hold becomes a question mark, so that the call can be recorded."""
    reading = read_body(b'{"choices": [{"message": {"content": "a\\ud800b \\u00e9"}}]}', 200)
    assert reading.body["choices"][0]["message"]["content"] == "a?b é"
