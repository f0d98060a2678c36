"""Statistics against values worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.compare import friedman, kruskal_wallis, mann_whitney
from analysis.describe import spread
from analysis.judge_noise import within_text_shares
from tests.unit.analysis_rows import analyse_rows, clean_rows


def test_mann_whitney_of_separate_triples() -> None:
    """Two separate triples give U 0 and the exact p 2/20, and r is 1.645/sqrt(6)."""
    low, high = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
    there, back = mann_whitney([(low, high), (high, low)])
    assert (there.u, there.rank_biserial) == (0, -1)
    assert (back.u, back.rank_biserial) == (9, 1)
    assert there.p == pytest.approx(0.1)
    assert there.p_bonferroni == pytest.approx(0.2)
    assert there.r == pytest.approx(1.6448536 / math.sqrt(6))
    assert mann_whitney([(low, high)] * 30)[0].p_bonferroni == 1.0


def test_mann_whitney_without_any_difference() -> None:
    """Identical values are p 1 and effect 0, not a division by zero."""
    same = np.array([5.0, 5.0])
    (tested,) = mann_whitney([(same, same)])
    assert (tested.u, tested.p, tested.r, tested.rank_biserial) == (2, 1, 0, 0)


def test_mann_whitney_keeps_its_effect_where_p_underflows() -> None:
    """Thousands of separate values have p 0 as a float; r is still the largest that separate groups reach."""
    noise = np.random.default_rng(5)
    low, high = noise.random(2000), 2 + noise.random(2000)
    (tested,) = mann_whitney([(low, high)])
    assert tested.p == 0
    # z = (n^2/2) / sqrt(n^2 (2n + 1) / 12), so r = z / sqrt(2n) tends to sqrt(3)/2.
    assert tested.r == pytest.approx(math.sqrt(3) / 2, abs=1e-3)


def test_mann_whitney_of_a_family_equals_one_by_one() -> None:
    """Testing pairs of mixed sizes and ties together gives what scipy gives for each alone."""
    noise = np.random.default_rng(3)
    samples = [noise.integers(1, limit, size) / 1 for size in (1, 3, 9, 12) for limit in (4, 10_000)]
    pairs = [(x, y) for x in samples for y in samples if x is not y]
    for (x, y), found in zip(pairs, mann_whitney(pairs), strict=True):
        if len(set(x) | set(y)) > 1:
            alone = stats.mannwhitneyu(x, y)
            assert (found.u, found.p) == pytest.approx((alone.statistic, alone.pvalue))


def test_kruskal_wallis_by_hand() -> None:
    """Three separate triples have rank sums 6, 15, 24, so H = 7.2 and p = exp(-3.6)."""
    found = kruskal_wallis([np.array([1.0, 2, 3]), np.array([4.0, 5, 6]), np.array([7.0, 8, 9])])
    assert found.statistic == pytest.approx(7.2)
    assert found.p == pytest.approx(math.exp(-3.6))


@pytest.mark.parametrize(
    ("groups", "reason"),
    [
        ([[1.0, 2.0]], "fewer than two frameworks"),
        ([[1.0], [2.0]], "one value per framework"),
        ([[1.0, 1.0], [1.0, 1.0]], "identical"),
    ],
)
def test_kruskal_wallis_says_why_not(groups: list[list[float]], reason: str) -> None:
    """Where the test has nothing to work on it says so."""
    assert reason in (kruskal_wallis([np.array(group) for group in groups]).reason or "")


def test_friedman_by_hand() -> None:
    """Three blocks in the same order of three treatments: chi-squared 6, p = exp(-3)."""
    found = friedman(pd.DataFrame({"a": [1.0, 2, 3], "b": [2.0, 3, 4], "c": [3.0, 4, 5]}))
    assert found.statistic == pytest.approx(6)
    assert found.p == pytest.approx(math.exp(-3))


def test_friedman_leaves_out_incomplete_items() -> None:
    """An item that one framework did not complete is no block."""
    means = pd.DataFrame({"a": [1.0, 2], "b": [2.0, 3], "c": [3.0, math.nan]})
    assert "fewer than two items" in (friedman(means).reason or "")


def test_within_text_shares_by_hand() -> None:
    """Texts scored 9, 10 and 5, 6: 1/17 of the squares; components 0.5 within, (16 - 0.5)/2 between."""
    judged = pd.DataFrame({"item": "x", "text": ["a", "a", "b", "b"], "overall": [9.0, 10.0, 5.0, 6.0]})
    component, squares = within_text_shares(judged)
    assert squares == pytest.approx(1 / 17)
    assert component == pytest.approx(0.5 / 8.25)


def test_spread_has_sample_standard_deviation() -> None:
    """The standard deviation divides by n - 1, and one value has none."""
    found = spread(pd.Series([1.0, 3.0, math.nan]))
    assert (found.mean, found.min, found.max) == (2, 1, 3)
    assert found.std == pytest.approx(math.sqrt(2))
    assert spread(pd.Series([4.0])).std is None


def test_bonferroni_counts_the_pairs_of_one_metric(tmp_path: Path) -> None:
    """Four frameworks make six pairs per metric, and p is multiplied by six."""
    analysis = analyse_rows(tmp_path, clean_rows())
    quality = [pair for pair in analysis.pairs if pair.metric == "quality"]
    assert len(quality) == 6
    for pair in quality:
        assert pair.mann_whitney.p is not None
        assert pair.mann_whitney.p_bonferroni == pytest.approx(min(1.0, 6 * pair.mann_whitney.p))


def test_a_real_difference_is_shown(tmp_path: Path) -> None:
    """One framework two points better on every item is found by every test and said on the first screen."""
    rows = clean_rows()
    for row in rows:
        row["overall"] = 8.5 if row["framework"] == "crewai" else 5 + 0.01 * row["position"]
    analysis = analyse_rows(tmp_path, rows)
    assert analysis.omnibus["quality"].verdict == "shown"
    assert "Quality differs: CrewAI scores highest (8.50)" in analysis.summary.headline
    assert analysis.ranking[0].framework == "crewai"
    assert analysis.ranking[0].significantly_lower_quality == ["autogen", "direct", "langgraph"]
    assert analysis.ranking[1].significantly_lower_quality == []


def test_verdict_when_tests_disagree(tmp_path: Path) -> None:
    """Without repeats a Kruskal-Wallis p below 0.05 that Friedman does not confirm is called a disagreement."""
    rows = clean_rows(
        frameworks=("autogen", "crewai", "langgraph"), items=("Alpha", "Beta", "Gamma"), iterations=1
    )
    scores = {"autogen": (1, 2, 3), "crewai": (4, 5, 6), "langgraph": (7, 8, "")}
    for row in rows:
        row["overall"] = scores[row["framework"]][("Alpha", "Beta", "Gamma").index(row["item"])]
    quality = analyse_rows(tmp_path, rows).omnibus["quality"]
    assert quality.kruskal_wallis.p == pytest.approx(quality.kruskal_wallis_item_means.p)
    assert quality.verdict == "tests_disagree"
