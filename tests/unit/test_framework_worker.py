"""What a framework's process sends home is plain data or an error in words, whatever the framework did."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.framework_worker import ERROR_CHARACTERS, FrameworkWorker, WorkerResult
from shared.contract import LimitReached, Outcome, RunRequest

REQUEST = RunRequest("r", "http://h/v1", "http://h/tools", "m", (), 0.0, 7, 10.0, 8)


class FrameworkText(str):
    """A framework's own kind of string."""

    __slots__ = ("origin",)


def executed(run: Callable[[RunRequest], Any]) -> WorkerResult:
    """As after `boot`, with an adapter whose `run` is given."""
    worker = FrameworkWorker()
    worker._adapter = SimpleNamespace(run=run)
    return worker.execute(REQUEST)


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
