"""A run's time taken apart: exact, whatever the calls are like."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calls import Call, ServerTimings
from shared.latency import held_s, take_apart, take_apart_by_agent, take_call_apart

TOLERANCE_S = 1e-6
"""Ten stages rounded to whole nanoseconds each, and sums of floats."""


def call(start: float, end: float, **fields: Any) -> Call:
    values: dict[str, Any] = {
        "sequence": 1, "kind": "model", "path": "/v1/chat/completions", "arrived_s": start,
        "forwarded_s": start, "last_byte_s": end, "status": 200, "agent": "a",
    }  # fmt: skip
    return Call(**values | fields)


def test_a_whole_answer_with_the_servers_timings() -> None:
    """By hand: arrival 1.0, forwarded 1.1, last byte 3.1, delivered 3.2; the server decoded 1.2 s, read 0.5."""
    timed = call(
        1.0, 3.1, forwarded_s=1.1, delivered_s=3.2, server=ServerTimings(prefill_s=0.5, decode_s=1.2)
    )
    parts = take_apart([timed], 0.5, 4.0)
    assert parts.gateway_s == pytest.approx(0.2)
    assert parts.queue_s == pytest.approx(0.3)
    assert parts.prefill_s == pytest.approx(0.5)
    assert parts.decode_s == pytest.approx(1.2)
    assert parts.framework_s == pytest.approx(0.5 + 0.8)
    assert parts.model_s == parts.tool_s == 0
    assert parts.total_s == pytest.approx(3.5)
    assert parts.at_model_s == pytest.approx(2.0)


def test_a_stream_is_split_at_its_first_token() -> None:
    """Without the server's word, all until the first token is prefill."""
    parts = take_call_apart(call(0.0, 5.0, forwarded_s=0.25, first_token_s=2.0, streamed=True))
    assert (parts.gateway_s, parts.queue_s, parts.prefill_s, parts.decode_s) == (0.25, 0.0, 1.75, 3.0)


def test_the_servers_queue_comes_off_a_streams_prefill() -> None:
    """A server that says how long a call waited, or how long it read, tells queue from prefill."""
    said = call(0.0, 5.0, first_token_s=2.0, server=ServerTimings(queue_s=0.5))
    assert (take_call_apart(said).queue_s, take_call_apart(said).prefill_s) == (0.5, 1.5)
    said = call(0.0, 5.0, first_token_s=2.0, server=ServerTimings(prefill_s=1.5, decode_s=9.0))
    assert (take_call_apart(said).queue_s, take_call_apart(said).prefill_s) == (0.5, 1.5)


def test_waiting_for_a_rate_limit_is_in_no_part() -> None:
    """By hand: arrival 1, first sent 1.5, refused, sent again at 5, answered at 8: the 3.5 s between are apart."""
    held = call(1.0, 8.0, forwarded_s=5.0, rate_limited=1, rate_limited_s=3.5)
    parts = take_apart([held], 0.0, 10.0)
    assert (parts.gateway_s, parts.model_s, parts.framework_s) == (0.5, 3.0, 3.0)
    assert held_s([held], 0.0, 10.0) == 3.5
    assert take_apart_by_agent([held], 0.0, 10.0)["a"].total_s == pytest.approx(6.5)
    busy = call(2.0, 4.0, agent="b")
    assert held_s([held, busy], 0.0, 10.0) == 1.5
    assert take_apart([held, busy], 0.0, 10.0).model_s == 5.0


def test_a_tools_waiting_for_a_rate_limit_is_in_no_part() -> None:
    """By hand: arrival 1, the model behind the tool asked at once, refused, asked again at 5, answered at 8."""
    tool = call(1.0, 8.0, kind="tool", forwarded_s=5.0, rate_limited=1, rate_limited_s=3.5)
    parts = take_apart([tool], 0.0, 10.0)
    assert (parts.tool_s, parts.framework_s, parts.gateway_s) == (3.5, 3.0, 0.0)
    assert held_s([tool], 0.0, 10.0) == 3.5


def test_model_time_that_nothing_splits_stays_whole() -> None:
    """A whole answer of a server that says nothing of its time is model time, unsplit."""
    assert take_call_apart(call(0.0, 2.0)).model_s == 2.0


def test_overlapping_calls_count_once_and_the_furthest_counts() -> None:
    """While one call decodes, a tool call and another call's reading beside it cost nothing."""
    decoding = call(0.0, 4.0, first_token_s=1.0, streamed=True)
    tool = call(2.0, 5.0, kind="tool", forwarded_s=None)
    parts = take_apart([decoding, tool], 0.0, 6.0)
    assert (parts.prefill_s, parts.decode_s, parts.tool_s, parts.framework_s) == (1.0, 3.0, 1.0, 1.0)


def test_an_agents_step_lasts_until_its_last_call_ends() -> None:
    """Time before a call belongs to the agent that calls, time after the last call to the last agent."""
    calls = [call(1.0, 2.0, agent="a"), call(3.0, 5.0, agent="b"), call(5.5, 6.0, agent=None)]
    parts = take_apart_by_agent(calls, 0.0, 7.0)
    assert {agent: (p.model_s, p.framework_s) for agent, p in parts.items()} == {
        "a": (1.0, 1.0), "b": (2.0, 1.0), "": (0.5, 1.5),
    }  # fmt: skip


def test_a_run_without_calls_is_all_the_frameworks() -> None:
    """No call, no model: the whole time is the framework's, and no time at all is nothing."""
    assert take_apart([], 1.0, 3.0).framework_s == 2.0
    assert take_apart([call(0, 1)], 2.0, 2.0).total_s == 0
    assert take_apart_by_agent([], 1.0, 3.0)[""].framework_s == 2.0


seconds = st.floats(0, 100, allow_nan=False)
maybe = st.none() | seconds


@st.composite
def any_call(draw: st.DrawFn) -> Call:
    """Times in any order: clocks differ, servers lie."""
    start = draw(seconds)
    return call(
        start,
        start + draw(seconds),
        kind=draw(st.sampled_from(["model", "tool"])),
        agent=draw(st.sampled_from([None, "a", "b"])),
        forwarded_s=draw(maybe),
        first_token_s=draw(maybe),
        delivered_s=draw(maybe),
        server=draw(
            st.none()
            | st.builds(ServerTimings, queue_s=maybe, prefill_s=maybe, decode_s=maybe)
        ),
    )  # fmt: skip


@given(st.lists(any_call(), max_size=8), seconds, seconds)
def test_parts_always_add_up_to_the_wall(calls: list[Call], started: float, length: float) -> None:
    """By run and by agent, for any calls, the stages add up to the wall time and none is negative."""
    whole = take_apart(calls, started, started + length)
    agents = take_apart_by_agent(calls, started, started + length)
    assert whole.total_s == pytest.approx(length, abs=TOLERANCE_S)
    assert sum(parts.total_s for parts in agents.values()) == pytest.approx(length, abs=TOLERANCE_S)
    for parts in (whole, *agents.values()):
        assert min(parts.model_dump().values()) >= 0


@given(any_call())
def test_a_calls_parts_add_up_to_it(timed: Call) -> None:
    """From arrival to delivery, or to the last byte where delivery is not known."""
    until = max(timed.last_byte_s, timed.delivered_s or 0.0)
    parts = take_call_apart(timed)
    assert parts.total_s == pytest.approx(max(0.0, until - timed.arrived_s), abs=TOLERANCE_S)
    assert min(parts.model_dump().values()) >= 0
