"""How large an experiment has to be: textbook power, known variances, simulated experiments, and plain refusals."""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from scipy import stats

from analysis.planning.command import SizeRequest, plan_size_command
from analysis.planning.pilot import read_pilots
from analysis.planning.power import items_for, power_of, smallest_shown
from analysis.planning.result import SizePlan
from analysis.planning.sizes import Wanted, plan_size
from analysis.render import render_html
from analysis.significance_result import Metric
from cluster.cli import main
from shared.errors import UserError

from .analysis_rows import PUBLISHED, analyse_rows, clean_rows, write_rows
from .panel_experiment import FRAMEWORKS, ITEMS, judged_store
from .pilot_runs import pilot


def planned(seed: int, metric: Metric = "latency_s", difference: float = 0.5, **pilot_of: Any) -> SizePlan:
    runs, verdicts = pilot(seed, **pilot_of)
    return plan_size(
        read_pilots(runs, verdicts, [metric], "idiomatic")[0], Wanted(points=difference), "idiomatic"
    )


def test_power_of_the_textbook() -> None:
    """A paired t test as in G*Power: dz = 0.5 needs 34 pairs for 80 %, and dz = 0.421637 has .832114 with 50."""
    assert items_for(0.5, 1.0, 0.8, 0.05, fewest=2) == 34
    # Faul et al.: Behavior Research Methods 39 (2007) 175, and the manual of G*Power 3.1, chapter 19.
    assert power_of(0.421637, 1.0, 50, 0.05) == pytest.approx(0.832114, abs=2e-6)
    assert smallest_shown(1.0, 50, 0.832114, 0.05) == pytest.approx(0.421637, abs=1e-5)


@pytest.mark.parametrize(
    ("difference", "variance", "items", "expected"),
    [(0.0, 1.0, 10, 0.05), (5.0, 0.0, 5, 1.0), (1e9, 1.0, 5, 1.0), (12.0, 5.0, 5, 0.99), (0.0, 0.0, 5, 0.05)],
)
def test_power_at_the_edges(difference: float, variance: float, items: int, expected: float) -> None:
    """No difference gives alpha, no variance certainty; far out, where SciPy knows one tail only, no NaN."""
    assert power_of(difference, variance, items, 0.05) == pytest.approx(expected, abs=0.02)


def test_out_of_reach() -> None:
    """A difference that no number of items shows has no number."""
    assert items_for(1e-6, 1.0, 0.8, 0.05, fewest=5) is None
    plan = planned(1, difference=1e-5)
    assert plan.designs == []
    assert plan.reason is None


def test_variances_of_the_pilot_are_unbiased() -> None:
    """From 30 pilots the mean of each variance is what was put in: items', runs' and the judge's."""
    found = [planned(s, "quality", items=12, repeats=3, noise=0.4).variance for s in range(30)]
    for name, true in (("interaction", 0.25), ("run", 0.25), ("judge_noise", 0.16)):
        values = [getattr(variance, name) for variance in found]
        assert np.mean(values) == pytest.approx(true, abs=3.5 * np.std(values) / math.sqrt(30)), name
    assert {variance.differing for variance in found} == {1.0}
    assert {variance.degrees_of_freedom for variance in found} == {22}


@pytest.mark.parametrize("copies", [False, True])
def test_planned_items_reach_the_planned_power(copies: bool) -> None:
    """Experiments of the planned size, simulated from the truth, find the difference as often as planned."""
    pilot_of = {"items": 400, "repeats": 3, "noise": 0.4, "copies": copies}
    plan = planned(1, "quality", **pilot_of)
    draw = np.random.default_rng(3)
    for design in plan.designs[:3]:
        assert design.judge_repeats
        texts = 1 if copies else design.iterations
        run = 0.0 if copies else 0.25 / design.iterations
        deviation = math.sqrt(2 * (0.25 + run + 0.16 / design.judge_repeats / texts))
        each = draw.normal(0.5, deviation, (8_000, design.items))
        p = stats.ttest_1samp(each, 0, axis=1).pvalue
        # The pilot's variance is known to about 7 % here, and a rate of 80 % in 8,000 to 1.3 points.
        assert np.mean(p < 0.05 / 3) == pytest.approx(design.power, abs=0.05)
        assert design.power >= 0.8


def test_interval_of_the_items_holds_the_right_number() -> None:
    """Of 30 pilots on 10 items nearly all have the number that the true variance asks for in their interval."""
    held = []
    for seed in range(30):
        plan = planned(seed)
        best = plan.designs[0]
        true = items_for(0.5, 2 * (0.25 + 0.25 / best.iterations), 0.8, 0.05 / 3, fewest=5)
        assert plan.items_low is not None
        assert plan.items_high is not None
        assert true is not None
        held.append(plan.items_low <= true <= plan.items_high)
    assert np.mean(held) >= 0.9


def test_copies_buy_nothing_for_quality() -> None:
    """Iterations that are copies leave the variance alone for quality and tokens, and the plan says so."""
    plan = planned(1, "quality", copies=True, repeats=2, noise=0.4)
    assert plan.variance.differing == 0
    assert plan.variance.run == 0
    iterations = next(p for p in plan.purchases if p.buy == "iterations")
    assert iterations.variance_less == pytest.approx(0)
    assert any("more iterations buy nothing" in note for note in plan.notes)
    assert plan.designs[0].iterations == 1
    latency = planned(1, "latency_s", copies=True)
    assert latency.variance.run == pytest.approx(0.25, rel=0.5)
    assert any("average the machine's noise" in note for note in latency.notes)


def test_next_purchase_follows_the_variance(tmp_path: Path) -> None:
    """All variance in the judge: repeats are worth buying. All in the items: items are."""
    for number, (noise, spread, buy) in enumerate(((1.0, 0.0, "judge_repeats"), (0.01, 1.0, "items"))):
        draw = np.random.default_rng(1)
        cells = {cell: draw.normal(0, spread) for cell in product(ITEMS, FRAMEWORKS)}
        judged_store(
            tmp_path / str(number),
            lambda _, run, __, c=cells, n=noise, d=draw: (
                6 + c[run.key.item, run.key.framework] + n * d.normal()
            ),
        )
        plan = plan_size_command(tmp_path / str(number), SizeRequest("quality"), None, Console(quiet=True))
        assert plan.purchases[0].buy == buy
        gains = [purchase.gain_per_hour or 0.0 for purchase in plan.purchases]
        assert len(gains) == 3
        assert gains == sorted(gains, reverse=True)


def test_unknown_cost_of_judging_is_not_compared() -> None:
    """Where no verdict says what it took, one more of them comes last and a note says why."""
    plan = planned(1, "quality", interaction=0.01, run=0.01, repeats=2, noise=1.0)
    assert plan.purchases[-1].buy == "judge_repeats"
    assert plan.purchases[-1].hours is None
    assert any("What a verdict takes is not known" in note for note in plan.notes)


def test_one_run_and_one_verdict_tell_what_they_cannot() -> None:
    """Without repeats what iterations and verdicts buy is not known: no design with more of them, and words."""
    plan = planned(1, "quality", iterations=1, repeats=1, noise=0.2)
    assert plan.variance.run is None
    assert plan.variance.judge_noise is None
    assert {(d.iterations, d.judge_repeats) for d in plan.designs} == {(1, 1)}
    assert [purchase.buy for purchase in plan.purchases] == ["items"]
    assert any("run it with two" in note for note in plan.notes)
    assert any("--repeats 2" in note for note in plan.notes)


def test_no_variance_and_no_difference() -> None:
    """Frameworks that differ by the same amount everywhere need the fewest items; a mean of 0 has no share."""
    still = planned(1, interaction=0, run=0)
    assert still.designs[0].items == 5
    assert still.designs[0].power == 1
    assert any("no variance at all" in note for note in still.notes)
    runs, verdicts = pilot(1, item=0, interaction=0, run=0, mean=0)
    nothing = plan_size(read_pilots(runs, verdicts, ["tokens"], "idiomatic")[0], Wanted())
    assert "difference of 0" in (nothing.reason or "")


@pytest.mark.parametrize(
    ("pilot_of", "reason"), [({"frameworks": 1}, "two frameworks"), ({"items": 1}, "two items")]
)
def test_refusals_in_plain_words(pilot_of: dict[str, int], reason: str) -> None:
    """One framework or one item is no pilot."""
    plan = planned(1, **pilot_of)
    assert reason in (plan.reason or "")
    assert plan.designs == []


def test_costs_come_from_the_records(tmp_path: Path) -> None:
    """Seconds and tokens of runs and verdicts are the records', and a design costs their sum."""
    draw = np.random.default_rng(1)
    store = judged_store(tmp_path, lambda *_: 6 + draw.normal())
    plan = plan_size_command(tmp_path, SizeRequest("quality", "2", 0.8), None, Console(quiet=True))
    # panel_experiment: 3.5 s and 1,500 tokens per run, 2 s and 120 tokens per verdict.
    assert (plan.cost.run_node_s, plan.cost.run_tokens) == (3.5, 1500)
    assert (plan.cost.verdict_s, plan.cost.verdict_tokens) == (2.0, 120)
    design = plan.designs[0]
    assert design.judge_repeats
    assert design.runs == design.items * design.iterations * 3
    assert design.node_hours == pytest.approx(design.runs * 3.5 / 3600)
    assert design.judge_hours == pytest.approx(design.runs * design.judge_repeats * 2.0 / 3600)
    assert design.tokens == pytest.approx(design.runs * (1500 + 120 * design.judge_repeats))
    hours = [(d.node_hours or 0) + (d.judge_hours or 0) for d in plan.designs]
    assert hours == sorted(hours)
    assert store.folder == tmp_path


def test_gaps_between_runs_are_overhead_but_pauses_are_not() -> None:
    """Runs of 20 s with 5 s between them cost 25 s of a node; a night between two sessions costs nothing."""
    runs, verdicts = pilot(1, items=2, frameworks=2, iterations=2, item=0, interaction=0, run=0)
    starts = [0, 25, 50, 75, 40_000, 40_025, 40_050, 40_075]
    at = [f"2026-01-02T{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}+00:00" for s in starts]
    runs.table["started_at"] = at
    assert read_pilots(runs, verdicts, ["tokens"], "idiomatic")[0].cost.overhead_node_s == pytest.approx(5)


def test_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`levelfield plan-size` answers in words and a table, and writes the same as JSON."""
    folder = write_rows(tmp_path / "pilot", clean_rows())
    out = tmp_path / "plan.json"
    main_exits(["plan-size", str(folder), "--difference", "10%", "--json", str(out)])
    shown = capsys.readouterr().out
    assert "To show a difference of" in shown
    assert "Bonferroni" in shown
    plan = json.loads(out.read_text())
    assert plan["metric"] == "latency_s"
    assert plan["difference_share"] == pytest.approx(0.1)
    assert plan["comparisons"] == 6


def main_exits(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (SizeRequest(metric="speed"), "--metric speed is unknown"),
        (SizeRequest(difference="much"), "--difference much"),
        (SizeRequest(difference="-1"), "--difference -1"),
        (SizeRequest(difference="nan"), "--difference nan"),
        (SizeRequest(power=80), "--power 80"),
        (SizeRequest(arm="other"), "--arm other"),
    ],
)
def test_bad_arguments_say_what_to_give(tmp_path: Path, asked: SizeRequest, words: str) -> None:
    """Each bad value is a user's error that names it."""
    folder = write_rows(tmp_path, clean_rows())
    with pytest.raises(UserError, match=words):
        plan_size_command(folder, asked, None, Console(quiet=True))


def test_nothing_completed_is_an_error(tmp_path: Path) -> None:
    """All failed: no pilot, and the command says so."""
    folder = write_rows(tmp_path, [row | {"status": "timeout"} for row in clean_rows()])
    with pytest.raises(UserError, match="nothing to plan from"):
        plan_size_command(folder, SizeRequest(), None, Console(quiet=True))


def test_report_has_a_section_on_planning(tmp_path: Path) -> None:
    """The report plans every metric from its own runs and shows where latency's variance comes from."""
    analysis = analyse_rows(tmp_path, clean_rows())
    assert [plan.metric for plan in analysis.planning] == ["quality", "latency_s", "tokens"]
    page = render_html(analysis)
    for part in (
        'id="planning"',
        "table-designs-latency_s",
        "table-purchases",
        "table-budgets",
        "Mixed models",
    ):
        assert part in page


def test_names_with_markup_stay_text(tmp_path: Path) -> None:
    """A framework and an item whose names are markup appear escaped in the new sections."""
    rows = [
        row | {"framework": row["framework"] + "<img src=x>", "item": row["item"] + "<b>"}
        for row in clean_rows()
    ]
    page = render_html(analyse_rows(tmp_path, rows))
    assert "<img src=x>" not in page
    assert 'id="planning"' in page


def test_published_runs_as_a_pilot() -> None:
    """Three companies show 0.5 points of quality with hardly any power, and the plan says how rough it is."""
    plan = plan_size_command(PUBLISHED, SizeRequest(metric="quality"), None, Console(quiet=True))
    assert plan.pilot.items == 3
    assert plan.comparisons == 10
    assert plan.pilot_power is not None
    assert plan.pilot_power < 0.1
    assert plan.purchases[0].buy == "items"
    assert any("small" in note for note in plan.notes)
