"""A service that is asked too often: it is left alone as long as it says, and no framework pays for it."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.gateway.intervals import union_seconds
from cluster.gateway.process import Lease
from cluster.gateway.rate_limit import LEAST_PAUSE_S, MOST_PAUSES, pause_s, retry_after_s
from shared.calls import Call
from tests.unit import upstream
from tests.unit.running_gateway import RunningGateway, chat
from tests.unit.upstream import DELTA, END


def too_often(retry_after: str) -> upstream.Behaviour:
    return upstream.status(429, **{"Retry-After": retry_after})


def cut_off(lease: Lease) -> None:
    """A client whose run ends while it asks."""
    with contextlib.suppress(http.client.RemoteDisconnected):
        chat(lease)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("7", 7), ("1.5", 1.5), ("-3", 0), ("", None), ("soon", None), ("inf", None), ("nan", None)],
)
def test_seconds_of_the_header(text: str, seconds: float | None) -> None:
    """A number is taken as it is, and what is none is as if nothing were said."""
    assert retry_after_s(text) == seconds


def test_a_date_in_the_header() -> None:
    """The header may also hold when to come again; a time that has passed means now."""
    soon, past = (format_datetime(datetime.now(UTC) + timedelta(seconds=s), usegmt=True) for s in (90, -90))
    assert 60 < (retry_after_s(soon) or 0) <= 90
    assert retry_after_s(past) == 0


@given(st.text(max_size=40))
def test_any_text_in_the_header(text: str) -> None:
    """Whatever a service writes there gives a number of seconds or nothing."""
    seconds = retry_after_s(text)
    assert seconds is None or 0 <= seconds < float("inf")


def test_pauses_without_a_word_of_how_long() -> None:
    """They double and end: an account without credit answers 429 for ever."""
    for headers in ({}, {"Retry-After": "0"}, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}):
        pauses = [pause_s(headers, refusals) for refusals in range(1, MOST_PAUSES + 2)]
        assert pauses == [1, 2, 4, 8, 16, None]
    assert pause_s({"Retry-After": "0.001"}, 1) == LEAST_PAUSE_S


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_a_refused_call_is_sent_again_and_counts_once(gateway: RunningGateway, *, streamed: bool) -> None:
    """The client sees one good answer, and the record one call with what the waiting took, told apart."""
    good = upstream.stream([DELTA, END]) if streamed else upstream.plain
    gateway.server.behave = upstream.one_after_another(too_often("0.2"), too_often("0.3"), good)
    with gateway.lease(max_model_calls=1) as lease:
        got = chat(lease, stream=streamed)
        report = gateway.close(lease)
    (call,) = report.calls
    assert (got.status, call.status, call.error, call.retry_of) == (200, 200, None, None)
    assert len(gateway.server.bodies) == 3
    assert gateway.server.bodies[0] == gateway.server.bodies[2]
    assert call.rate_limited == 2
    assert call.forwarded_s is not None
    assert call.first_byte_s is not None
    assert 0.5 <= call.rate_limited_s <= call.forwarded_s - call.arrived_s
    assert call.forwarded_s <= call.first_byte_s
    assert union_seconds([call], "model") <= call.last_byte_s - call.arrived_s - 0.5
    assert report.budget_exceeded == []
    assert [line["wait_s"] for line in gateway.log() if line["event"] == "rate_limited"][-2:] == [0.2, 0.3]


def test_waiting_is_bounded_by_half_the_calls_time(gateway: RunningGateway) -> None:
    """A service that goes on refusing, or wants longer than the call has, gives the client its 429."""
    gateway.server.behave = too_often("0.4")
    with gateway.lease(request_timeout_s=2) as lease:
        assert chat(lease).status == 429
        gateway.server.behave = too_often("1.5")
        assert chat(lease).status == 429
        stubborn, long = gateway.close(lease).calls
    assert stubborn.error == "planted"
    assert 2 <= stubborn.rate_limited <= 3  # two where the answers themselves take their time
    assert stubborn.rate_limited_s >= 0.4 * (stubborn.rate_limited - 1)
    assert (long.rate_limited, long.rate_limited_s) == (1, 0)


def test_a_run_that_ends_while_its_call_waits(gateway: RunningGateway) -> None:
    """Closing the lease ends the waiting, and what it took so far is in the record."""
    gateway.server.behave = too_often("9")
    with gateway.lease(run_id="waits") as lease:
        client = threading.Thread(target=cut_off, args=(lease,), daemon=True)
        client.start()
        deadline = time.monotonic() + 10
        while ("rate_limited", "waits") not in [
            (line["event"], line.get("run_id")) for line in gateway.log()
        ]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        (call,) = gateway.close(lease).calls
    client.join(10)
    assert not client.is_alive()
    assert (call.status, call.rate_limited) == (499, 1)
    assert 0 < call.rate_limited_s < 9


def test_the_time_at_the_model_has_no_waiting_in_it() -> None:
    """By hand: two calls that overlap, one of which waited from 2 to 6, are at the model for 5 of 9 seconds."""
    about = {"kind": "model", "path": "/v1/chat/completions", "status": 200}
    held = Call(
        sequence=1, arrived_s=1, forwarded_s=6, rate_limited_s=4, rate_limited=1, last_byte_s=9, **about
    )
    other = Call(sequence=2, arrived_s=5, forwarded_s=5, last_byte_s=7, **about)
    assert union_seconds([held, other], "model") == 5
