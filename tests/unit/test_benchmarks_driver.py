"""The driver benchmark: what it makes of stamps and figures, and its child on waiting nodes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.driver import FLOOR, OURS, _goals
from benchmarks.driver_child import _taken
from benchmarks.line_process import ProcessFailed, run_child
from benchmarks.mock import Stamp
from benchmarks.pauses import MEAN, Pause, figures, pauses
from benchmarks.result import figure


def stamp(arrived: float, last: float | None, kind: str = "run") -> Stamp:
    return Stamp(kind=kind, streamed=False, arrived=arrived, first=last, last=last)  # type: ignore[arg-type]


def test_a_pause_lies_between_two_runs() -> None:
    """Of three calls each, the third's answer to the fourth's request; a judge's request is none of them.

    That within the first block, of two runs, is left out.
    """
    begins = [0.0, 3.5, 7.0, 12.0]
    calls = [stamp(begin + number, begin + number + 1) for begin in begins for number in range(3)]
    found = [Pause(0.5, begins_block=True), Pause(2.0, begins_block=False)]
    assert pauses([*calls, stamp(3.2, 3.4, "judge")], [2, 2]) == found
    assert pauses([*calls, stamp(20, 21)], [2, 2]) == found  # a judge elsewhere was asked a word
    with pytest.raises(ProcessFailed, match="12 calls in 5 runs"):
        pauses(calls, [2, 3])


def test_what_is_deliberate_in_a_pause_is_told_apart() -> None:
    """Starting two processes in half a second each leaves a tenth of each run's pause to all else."""
    ours = [Pause(1.1, begins_block=True), Pause(0.1, begins_block=False)]
    found = figures([Pause(1, begins_block=True), Pause(2, begins_block=False)], ours, [0.5, 0.5])
    assert found[MEAN, "s"] == pytest.approx({FLOOR: 1.5, OURS: 0.6})
    assert found["of the mean, starting and importing", "s"] == pytest.approx({OURS: 0.5})
    assert found["of the mean, all else", "s"] == pytest.approx({OURS: 0.1})
    assert found["pause within a block, median", "s"] == pytest.approx({OURS: 0.1})


def test_what_nodes_did_comes_to_their_use_and_pauses() -> None:
    """Two nodes over ten seconds, one of them at work for four: pauses are within a node alone."""
    found = _taken([[(0.0, 4.0), (5.0, 10.0)], [(1.0, 5.0)]])
    assert (found["runs"], found["span_s"], found["utilisation"]) == (3, 10, pytest.approx(13 / 20))
    assert found["gap_ms"] == {"median": 1000, "mean": 1000}


def test_goals_say_what_was_found() -> None:
    """Nine tenths of the ideal are missed, half of the loop's pauses are met."""
    speed = figure("speed-up with 2 nodes, of the ideal", "share", {OURS: [0.9]}, OURS)
    pause = figure(MEAN, "s", {FLOOR: [2.0], OURS: [1.0]}, OURS)
    first, second = _goals([speed, pause])
    assert (first.met, first.found, second.met, second.found) == (False, "90.0%", True, "0.50 times")


def test_a_child_simulates_and_says_what_it_took(tmp_path: Path) -> None:
    """In a process of its own: every run ended, and the largest memory is told; one that fails is quoted."""
    found = json.loads(run_child(tmp_path, ["-m", "benchmarks.driver_child", "simulation", "480", "5"]))
    assert found["runs"] == 480
    assert 10 < found["peak_mb"] < 2000
    with pytest.raises(ProcessFailed, match="SystemExit"):
        run_child(tmp_path, ["-c", "import sys; sys.exit('SystemExit')"])
