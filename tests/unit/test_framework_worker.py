"""What a framework's process sends home is plain data or an error in words, whatever the framework did."""

from __future__ import annotations

import logging
import os
import pickle
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.framework_worker import ERROR_CHARACTERS, FrameworkWorker, WorkerResult
from shared.contract import LimitReached, Outcome, RunRequest
from shared.trace import VARIABLE, new_trace

REQUEST = RunRequest("r", "http://h/v1", "http://h/tools", "m", (), 0.0, 7, 10.0, 8)


class FrameworkText(str):
    """A framework's own kind of string."""

    __slots__ = ("origin",)


def executed(run: Callable[[RunRequest], Any], request: RunRequest = REQUEST) -> WorkerResult:
    """As after `boot`, with an adapter whose `run` is given."""
    worker = FrameworkWorker()
    worker._adapter = SimpleNamespace(run=run)
    return worker.execute(request)


def raising(error: Exception) -> Callable[[RunRequest], Any]:
    def run(_: RunRequest) -> Any:
        raise error

    return run


def test_an_outcome_comes_home_as_built_in_types() -> None:
    """A framework's kinds of string, tuples and keys become plain ones that unpickle anywhere."""
    text = FrameworkText("report")
    given = Outcome(text, {FrameworkText("writer"): text}, 3, 4, {"steps": (FrameworkText("a"), 1)})
    outcome = executed(lambda _: given).outcome
    assert outcome == Outcome("report", {"writer": "report"}, 3, 4, {"steps": ["a", 1]})
    assert type(outcome.text) is str
    assert [(type(name), type(value)) for name, value in outcome.agent_outputs.items()] == [(str, str)]
    assert b"FrameworkText" not in pickle.dumps(outcome)


def test_half_a_surrogate_pair_does_not_come_home() -> None:
    """A text that no file can hold is mended before it can stop the driver; whole pairs stay as they are."""
    outcome = executed(lambda _: Outcome("a\ud83d b \U0001f642", {"writer": "\udc00"})).outcome
    assert outcome == Outcome("a? b \U0001f642", {"writer": "?"})
    assert "no ? here" in (executed(raising(ValueError("no \ud800 here"))).error or "")


def circular() -> dict[str, Any]:
    details: dict[str, Any] = {}
    details["self"] = details
    return details


@pytest.mark.parametrize(
    "details",
    [{"x": object()}, {"x": threading.Lock()}, {"x": {1, 2}}, {("a", "b"): 1}, circular()],
    ids=["object", "lock", "set", "tuple as a key", "circular"],
)
def test_details_that_are_no_plain_data(details: dict[Any, Any]) -> None:
    """Details that cannot be written down are the adapter's error in words, not a lost worker."""
    result = executed(lambda _: Outcome("report", {}, details=details))
    assert result.outcome is None
    assert result.error
    assert "not plain data" in result.error
    assert result.latency_s >= 0


def test_no_outcome_at_all() -> None:
    """An adapter that returns something else is told so."""
    result = executed(lambda _: None)
    assert result.outcome is None
    assert "not plain data" in (result.error or "")


def test_an_error_says_what_first_and_where_below() -> None:
    """The first line is the error itself, the traceback follows, and a long one is cut at its beginning."""
    result = executed(raising(ValueError("no key\nin the answer")))
    lines = (result.error or "").splitlines()
    assert lines[:2] == ["ValueError: no key", "Traceback (most recent call last):"]
    assert lines[-2:] == ["ValueError: no key", "in the answer"]
    assert not result.limit_reached
    huge = executed(raising(ValueError("x" * 100_000))).error or ""
    assert len(huge) < 2 * ERROR_CHARACTERS


def test_a_limit_is_told_apart_from_an_error() -> None:
    """LimitReached is marked, because its class is not looked at elsewhere."""
    result = executed(raising(LimitReached("researcher stopped after 8 steps")))
    assert result.limit_reached
    assert (result.error or "").startswith("shared.contract.LimitReached: researcher stopped after 8 steps")


@pytest.mark.parametrize("fails", [False, True])
def test_the_times_are_the_machines_monotonic_clock(fails: bool) -> None:
    """Start and end lie right around the adapter's run, on the clock of the gateway, and give the latency."""
    inside: list[float] = []

    def run(_: RunRequest) -> Outcome:
        inside.append(time.monotonic())
        time.sleep(0.02)
        inside.append(time.monotonic())
        if fails:
            raise ValueError("no")
        return Outcome("report", {})

    before = time.monotonic()
    result = executed(run)
    after = time.monotonic()
    assert before <= result.started_at_s <= inside[0] < inside[1] <= result.ended_at_s <= after
    assert result.latency_s == result.ended_at_s - result.started_at_s


@pytest.mark.parametrize("inherited", [None, new_trace().traceparent])
def test_the_context_is_in_the_environment_during_the_run_alone(
    inherited: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TRACEPARENT is the run's own while it runs, also after a failure gone, and never somebody else's."""
    if inherited:
        monkeypatch.setenv(VARIABLE, inherited)
    seen: list[str | None] = []

    def run(_: RunRequest) -> Outcome:
        seen.append(os.environ.get(VARIABLE))
        raise ValueError("no")

    context = new_trace()
    executed(run, replace(REQUEST, traceparent=context.traceparent))
    assert VARIABLE not in os.environ
    executed(run, REQUEST)
    assert seen == [context.traceparent, None]


@pytest.mark.parametrize("fails", [False, True])
def test_what_the_framework_warns_of_comes_home(fails: bool) -> None:
    """With the ids of the run's trace and without the run's address, whether the run ends well or not."""
    context = new_trace()
    base_url = "http://127.0.0.1:1/runs/sEcReT/v1"

    def run(request: RunRequest) -> Outcome:
        logging.getLogger("framework").warning("retrying %s", request.base_url)
        if fails:
            raise ValueError("no")
        return Outcome("report", {})

    result = executed(run, replace(REQUEST, base_url=base_url, traceparent=context.traceparent))
    [line] = result.log
    assert line.endswith(
        f"WARNING framework trace_id={context.trace_id} span_id={context.span_id} "
        "retrying http://127.0.0.1:1/runs/<run>/v1"
    )
    assert "sEcReT" not in "".join(result.log)
    assert (result.error is not None) == fails
