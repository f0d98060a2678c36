"""Consistency: pass^k, copies, similarity and variation, each on figures worked out by hand."""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.analyse import analyse
from analysis.consistency.intervals import mean_interval, root_ratio_interval
from analysis.consistency.outcomes import MOST_TRIALS, pass_powers
from analysis.consistency.outputs import similarity_of
from analysis.consistency.sentences import consistency_sentences
from analysis.consistency.tables import outcomes_table, outputs_table, variation_table
from analysis.consistency.variation import within_groups
from analysis.read_runs import read_runs
from analysis.render import render_html
from analysis.result import Analysis
from tests.unit.analysis_rows import PUBLISHED, analyse_rows, clean_rows
from tests.unit.measured_experiment import analyse_store, stored_experiment

PASSING = {"section_share": 1.0, "words_in_range": True, "fact_recall": 0.5, "unsupported_sentences": 0}


def passing_rows(**wanted: Any) -> list[dict[str, Any]]:
    return [row | PASSING for row in clean_rows(**wanted)]


def said(analysis: Analysis) -> str:
    return " ".join(consistency_sentences(analysis))


def test_pass_power_is_the_share_of_draws_that_pass() -> None:
    """Of 3 trials with 2 accepted: 2/3, 1 of 3 pairs, and never all three (tau-bench's estimator)."""
    powers = pass_powers(np.array([3]), np.array([2]))
    assert [power.value for power in powers] == pytest.approx([2 / 3, 1 / 3, 0])
    outcomes = [True, True, False, True, False]
    for power in pass_powers(np.array([5]), np.array([3])):
        draws = list(combinations(outcomes, power.k))
        assert power.value == pytest.approx(sum(map(all, draws)) / len(draws))


def test_pass_power_is_a_mean_over_items_that_have_enough_trials() -> None:
    """Each item counts once, however many trials it has; one with fewer than k is left out of that k."""
    powers = pass_powers(np.array([2, 4]), np.array([2, 2]))
    assert [(p.k, p.items) for p in powers] == [(1, 2), (2, 2), (3, 1), (4, 1)]
    assert powers[0].value == pytest.approx((1 + 2 / 4) / 2)
    assert powers[1].value == pytest.approx((1 + 1 / 6) / 2)
    assert pass_powers(np.array([99]), np.array([99]))[-1].k == MOST_TRIALS


def test_pass_power_is_unbiased() -> None:
    """Over 20,000 simulated items of 4 trials with chance 0.7, the mean of pass^2 is 0.49, not 0.7's or other."""
    passed = np.random.default_rng(3).binomial(4, 0.7, size=20_000)
    power = pass_powers(np.full(len(passed), 4), passed)[1]
    assert power.value == pytest.approx(0.7**2, abs=0.01)
    assert power.interval is not None
    assert power.interval.low < 0.49 < power.interval.high


def test_interval_where_every_item_is_alike() -> None:
    """Six items of six are no certainty: Clopper and Pearson's lower bound is 0.025^(1/6) = 0.541."""
    ones, zeros = mean_interval(np.ones(6)), mean_interval(np.zeros(6))
    assert ones is not None
    assert (round(ones.low, 3), ones.high) == (0.541, 1)
    assert zeros is not None
    assert (zeros.low, round(zeros.high, 3)) == (0, 0.459)
    assert mean_interval(np.ones(4)) is None
    assert mean_interval(np.full(6, 0.5)) is None


def test_interval_of_items_holds_their_mean() -> None:
    """95 of 100 intervals over 20 items hold the truth, give or take what a percentile bootstrap misses."""
    draw = np.random.default_rng(9)
    held = 0
    for _ in range(200):
        found = mean_interval(draw.beta(2, 2, size=20))
        assert found is not None
        held += found.low <= 0.5 <= found.high
    assert held >= 0.90 * 200


def test_trials_and_accepted(tmp_path: Path) -> None:
    """A time-out is a trial that failed; what the model's server or another run ended is no trial."""
    rows = passing_rows()
    mine = [row for row in rows if row["framework"] == "crewai"]
    mine[0]["status"] = "timeout"
    mine[2]["status"] = "model_error"
    mine[4]["status"] = "contaminated"
    mine[6]["fact_recall"] = 0.4
    found = analyse_rows(tmp_path, rows).consistency["crewai"]
    assert (found.trials, found.accepted) == (10, 8)
    # Six items: 1 of 2, 1 of 1, 1 of 1, 1 of 2, 2 of 2, 2 of 2; those with one trial tell nothing of pass^2.
    assert [(p.k, p.items) for p in found.pass_power] == [(1, 6), (2, 4)]
    assert [p.value for p in found.pass_power] == pytest.approx([5 / 6, 2 / 4])
    assert found.met["fact_recall"] == pytest.approx(8 / 9)


def test_criteria_are_stated(tmp_path: Path) -> None:
    """The report names every criterion with its bound, and the judge's noise where its score is one."""
    rows = passing_rows()
    (tmp_path / "manifest.json").write_text(json.dumps({"plan": {"acceptance": {"overall": 7}}}))
    words = said(analyse_rows(tmp_path, rows))
    for part in (
        "all sections present",
        "the asked length",
        "50% of the known facts stated",
        "at most 3 sentences",
    ):
        assert part in words
    assert "an overall score of 7 or more" in words
    assert "judge's noise counts as the framework's" in words


def test_judge_noise_is_no_inconsistency(tmp_path: Path) -> None:
    """Other scores of the same runs change nothing that is said of consistency."""
    rows = passing_rows()
    before = analyse_rows(tmp_path / "before", rows).consistency
    for place, row in enumerate(rows):
        row["overall"] = 1 + place % 10
    assert analyse_rows(tmp_path / "after", rows).consistency == before


def test_published_copies_are_called_determinism() -> None:
    """13 of 15 cells are copies throughout, so pass^3 = 1 is said to be no reliability."""
    analysis = analyse(read_runs(PUBLISHED))
    assert sum(found.items_of_copies or 0 for found in analysis.consistency.values()) == 13
    assert "In 13 of 15 repeated cells" in said(analysis)
    assert "not that the framework is reliable" in said(analysis)
    assert "nothing else that was to decide is known" in said(analysis)
    assert {p.value for found in analysis.consistency.values() for p in found.pass_power} == {1.0}


def test_published_variation_by_hand() -> None:
    """Agents SDK: tokens of its copies never vary, their latency does by 27 %; LangGraph's one other text counts."""
    table = pd.read_csv(PUBLISHED / "runs.csv")
    found = analyse(read_runs(PUBLISHED)).consistency
    mine = table[table["framework"] == "agents_sdk"].groupby("company")["latency_seconds"]
    by_hand = sqrt(((mine.std() / mine.mean()) ** 2).mean())
    assert found["agents_sdk"].latency.same_text.value == pytest.approx(by_hand)
    assert f"{by_hand:.2f}" == "0.27"
    assert found["agents_sdk"].tokens.same_text.value == 0
    assert found["agents_sdk"].latency.other_text.value is None
    assert found["langgraph"].latency.other_text.groups == 1
    assert (found["langgraph"].tokens.same_text.value, found["langgraph"].tokens.same_text.groups) == (0, 3)


def test_variation_is_not_too_low_for_few_repeats() -> None:
    """Pooled over 4,000 pairs drawn with a coefficient of 0.1 it is 0.1; a mean of coefficients would be 0.08."""
    draw = np.random.default_rng(4)
    rows = pd.DataFrame({
        "subject": "a",
        "item": np.repeat(np.arange(4_000), 2).astype(str),
        "latency_s": draw.normal(100, 10, size=8_000),
    })  # fmt: skip
    found = within_groups(rows, "latency_s", ("subject", "item"))["a"]
    assert found.value == pytest.approx(0.1, rel=0.03)
    assert found.groups == 4_000
    assert found.interval is not None
    assert found.interval.low < 0.1 < found.interval.high


def test_root_ratio_interval_needs_items() -> None:
    """Below five items there is none; of equal items both ends are the value."""
    assert root_ratio_interval(np.ones(4), np.ones(4)) is None
    found = root_ratio_interval(np.full(5, 4.0), np.ones(5))
    assert found is not None
    assert (found.low, found.high) == (2, 2)


def test_similarity_over_all_pairs() -> None:
    """Two copies and one text without a shared run of words: 1 of 3 pairs is the same."""
    one, other = "a b c d e f g", "h i j k l m n"
    assert similarity_of(Counter({one: 2, other: 1})) == pytest.approx(1 / 3)
    assert similarity_of(Counter({one: 3})) == 1
    # "a b c d e", "b c d e f", "c d e f g" and "b c d e f", "c d e f g", "d e f g h": 2 of 4 runs are shared.
    assert similarity_of(Counter({one: 1, "b c d e f g h": 1})) == pytest.approx(2 / 4)


def test_stored_texts_are_compared(tmp_path: Path) -> None:
    """Where records hold the texts, copies are 1 and different texts below it."""
    analysis = analyse_store(stored_experiment(tmp_path, arms=["idiomatic"], aa=[], iterations=2))
    found = analysis.consistency["direct"]
    assert (found.repeated_items, found.items_of_copies, found.distinct_per_item) == (6, 0, 2)
    assert (found.similarity, found.similarity_items) == (0, 6)
    page = render_html(analysis)
    assert "Are the reports on one item the same?" in page
    assert 'id="consistency"' in page


def test_one_run_per_cell(tmp_path: Path) -> None:
    """Without a repeat there is pass^1 and no more, and the report says that consistency is not known."""
    analysis = analyse_rows(tmp_path, passing_rows(iterations=1))
    assert [p.k for p in analysis.consistency["crewai"].pass_power] == [1]
    assert "Each item was tried once" in said(analysis)
    assert (outputs_table(analysis), variation_table(analysis)) == (None, None)


@pytest.mark.parametrize("status", ["model_error", "infrastructure_error"])
def test_no_trial_at_all(tmp_path: Path, status: str) -> None:
    """Where nothing says anything of a framework, nothing is said of its consistency."""
    analysis = analyse_rows(tmp_path, [row | {"status": status} for row in clean_rows()])
    assert analysis.consistency == {}
    assert "No run is a trial" in said(analysis)
    assert outcomes_table(analysis) is None


def test_all_failed_is_zero_not_missing(tmp_path: Path) -> None:
    """Frameworks that always fail have pass^k of 0, with what six items allow as the upper end."""
    analysis = analyse_rows(tmp_path, [row | {"status": "framework_error"} for row in clean_rows()])
    power = analysis.consistency["crewai"].pass_power[0]
    assert power.value == 0
    assert power.interval is not None
    assert power.interval.high == pytest.approx(1 - 0.025 ** (1 / 6))
    table = outcomes_table(analysis)
    assert table is not None
    assert "0% (0% to 46%)" in [cell.text for cell in table.rows[0]]
