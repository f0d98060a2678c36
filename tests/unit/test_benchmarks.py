"""Benchmarks' arithmetic and form: percentiles, unions, ratios, JSON, table, command line."""

from __future__ import annotations

import json
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from benchmarks.chat_client import Timing
from benchmarks.cli import BENCHMARKS, run
from benchmarks.clock import Times, _errors
from benchmarks.gateway import FLOOR, OURS, PEER, Kind, Samples, _figures, _goals
from benchmarks.mock import Behaviour, Stamp
from benchmarks.result import (
    BenchmarkResult,
    Goal,
    Subject,
    busy_seconds,
    figure,
    medians,
    merged,
    percentile,
)
from benchmarks.table import result_table
from benchmarks.utilisation import Carried, plan_of

INTERVALS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)).map(lambda t: (t[0], t[0] + t[1])))


def _result() -> BenchmarkResult:
    return BenchmarkResult(
        name="example",
        about="An example.",
        counted="Everything.",
        at="2026-11-24T00:00:00+00:00",
        quick=True,
        rounds=3,
        machine={},
        load_1min=[0.1, 0.2],
        subjects=[
            Subject(name="floor", role="floor", what="f"),
            Subject(name="ours", role="ours", what="o"),
            Subject(name="peer", role="peer", what="p"),
            Subject(name="absent", role="peer", what="a", missing="no network"),
        ],
        figures=[figure("x", "ms", {"floor": [1, 2, 4], "ours": [2, 2, 2], "peer": [8, 4, 2]}, "ours")],
        goals=[Goal(text="below 3", met=True, found="2")],
        details={},
    )


def test_percentile_lies_between_neighbours() -> None:
    """p50 of an even number is half-way between the middle two, p99 of 0..100 is 99."""
    assert percentile([4, 1, 3, 2], 50) == pytest.approx(2.5)
    assert percentile(range(101), 99) == pytest.approx(99)


@given(INTERVALS)
def test_union_counts_every_second_once(intervals: list[tuple[int, int]]) -> None:
    """The union's length is the number of unit steps that any interval covers, and its parts are apart."""
    covered = {step for start, end in intervals for step in range(start, end)}
    assert busy_seconds(intervals) == len(covered)
    parts = merged(intervals)
    assert all(earlier[1] < later[0] for earlier, later in pairwise(parts))


def test_ratio_is_worked_out_within_each_round() -> None:
    """Ours over another subject pairs values of the same round, not medians."""
    ratio = _result().figures[0].ratios["ours / peer"]
    assert ratio.rounds == [0.25, 0.5, 1.0]
    assert (ratio.min, ratio.median, ratio.max) == (0.25, 0.5, 1.0)


def test_no_ratio_over_nothing() -> None:
    """A subject whose value is zero or less in some round is no divisor."""
    found = figure("x", "ms", {"ours": [1, 1], "zero": [1, 0], "negative": [1, -1], "good": [1, 2]}, "ours")
    assert list(found.ratios) == ["ours / good"]


def test_result_is_written_with_spread_and_ratios(tmp_path: Path) -> None:
    """<name>.json holds min, median and max of ours, peer and floor, the ratios, and who is missing and why."""
    path = _result().write(tmp_path / "new" / "folder")
    content = json.loads(path.read_text(encoding="utf-8"))
    assert path.name == "example.json"
    (found,) = content["figures"]
    assert found["of"]["floor"] == {"min": 1, "median": 2, "max": 4, "rounds": [1, 2, 4]}
    assert set(found["of"]) == {"floor", "ours", "peer"}
    assert found["ratios"]["ours / floor"]["median"] == pytest.approx(1)
    assert [s["missing"] for s in content["subjects"] if s["missing"]] == ["no network"]
    assert BenchmarkResult.model_validate(content) == _result()


def test_table_shows_figures_goals_and_who_is_missing() -> None:
    """A reader sees median, least and most per subject, the ratio, the goal's verdict and the missing peer's reason."""
    console = Console(file=StringIO(), width=160)
    console.print(result_table(_result()))
    assert isinstance(console.file, StringIO)
    said = console.file.getvalue()
    for part in (
        "2.00 (1.00..4.00)",
        "4.00 (2.00..8.00)",
        "below 3: 2, met",
        "absent: no network",
        "(floor)",
    ):
        assert part in said
    assert "absent\n" not in said


def test_unknown_benchmark_is_answered_with_the_right_names(capsys: pytest.CaptureFixture[str]) -> None:
    """`ONLY=nonsense` is the user's mistake: exit code 2, all names, the nearest one, no traceback."""
    with pytest.raises(SystemExit) as ended:
        run(["gatway"])
    assert ended.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert 'Did you mean "gateway"' in said
    assert all(name in said for name in BENCHMARKS)


def test_added_latency_is_worked_out_within_each_round() -> None:
    """'Added' is a subject's percentile less the floor's of the same round, and goals are held against it."""
    kind, samples = Kind("plain", Behaviour(), stream=False, blocks=1), Samples()
    for number, (floor_ms, ours_ms, peer_ms) in enumerate([(1, 1.5, 5), (10, 10.5, 14), (2, 4, 6)]):
        for subject, whole_ms in ((FLOOR, floor_ms), (OURS, ours_ms), (PEER, peer_ms)):
            taken = [Timing(whole_ms / 2e3, whole_ms / 1e3)] * 3
            samples.add(kind.name, subject, taken, number=number, connections=0)
    figures = list(_figures(kind, samples))
    added = next(found for found in figures if found.name == "plain: whole, p50 added")
    assert added.of[OURS].rounds == pytest.approx([0.5, 0.5, 2])
    assert added.ratios[f"{OURS} / {PEER}"].rounds == pytest.approx([0.125, 0.125, 0.5])
    assert [goal.met for goal in _goals(figures)] == [True, True]


def test_goal_beside_a_missing_peer_is_undecided() -> None:
    """Without LiteLLM's figures the goal that names it is neither met nor missed."""
    kind, samples = Kind("plain", Behaviour(), stream=False, blocks=1), Samples()
    for subject, whole_s in ((FLOOR, 0.001), (OURS, 0.003)):
        samples.add(kind.name, subject, [Timing(whole_s, whole_s)], number=0, connections=0)
    assert [goal.met for goal in _goals(list(_figures(kind, samples)))] == [False, None]


def test_clock_error_is_measured_less_stamped() -> None:
    """A planted lag of 3 ms to the first token and 7 ms to the end is what is found; the first stream is left out."""
    stamp = Stamp(kind="run", streamed=True, arrived=100.0, first=100.1, last=101.0)
    lagging = Times(ttft_s=0.103, total_s=1.007)
    (error,) = _errors([Times(9, 9), lagging], [stamp, stamp])
    assert error.ttft_s == pytest.approx(0.003)
    assert error.total_s == pytest.approx(0.007)


def test_share_of_time_in_which_the_model_works() -> None:
    """Overlapping answers count once, pauses count against it, and a request without an answer is no work."""
    carried = Carried(
        [
            Stamp(kind="run", streamed=False, arrived=10, first=12, last=12),
            Stamp(kind="run", streamed=False, arrived=13, first=15, last=15),
            Stamp(kind="judge", streamed=False, arrived=16, first=18, last=18),
            Stamp(kind="judge", streamed=False, arrived=16, first=18, last=18),
            Stamp(kind="judge", streamed=False, arrived=17, first=20, last=20),
            Stamp(kind="run", streamed=False, arrived=21),
        ],
        wall_s=30,
    )
    assert carried.served_s == 10
    assert carried.share == pytest.approx(0.8)
    assert carried.share_in_runs == pytest.approx(0.8)
    assert carried.gaps() == [{"pause_s": 1, "at_s": 2}, {"pause_s": 1, "at_s": 5}]


def test_plan_of_utilisation_counts_runs_and_verdicts_alone() -> None:
    """No probe and no warm-up adds work for the model that a user did not ask for."""
    plan = plan_of(["direct"], ["anthropic"])
    assert not plan.probes
    assert plan.warmups == 0


def test_processor_time_by_process_is_a_median_per_process() -> None:
    """A process that is missing in a round counts as zero there."""
    assert medians([{"a": 1, "b": 2}, {"a": 3}, {"a": 2, "b": 4}]) == {"a": 2, "b": 2}
