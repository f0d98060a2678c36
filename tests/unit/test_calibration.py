"""A judge against people on one criterion."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.calibration import calibrate

PEOPLE = pd.Series([2.0, 3.0, 4.5, 6.0, 7.0, 7.5, 8.0, 9.0], index=list("abcdefgh"))
ITEMS = pd.Series(list("stuvwxyz"), index=list("abcdefgh"))


def test_a_judge_that_is_two_points_too_kind() -> None:
    """Bias is 2 with certainty, ranks agree fully, and people are a line of slope 1 two points below."""
    found = calibrate(PEOPLE + 2, PEOPLE, ITEMS)
    assert (found.bias.value, found.bias.low, found.bias.high) == pytest.approx((2, 2, 2))
    assert found.rank_correlation.value == pytest.approx(1)
    assert (found.slope, found.intercept) == pytest.approx((1, -2))


def test_figures_are_scipys() -> None:
    """Rank correlation, slope and intercept are SciPy's; the interval holds the value."""
    random = np.random.default_rng(5)
    judge = (PEOPLE + random.normal(0, 2, 8)).round()
    found = calibrate(judge, PEOPLE, ITEMS)
    line = stats.linregress(judge, PEOPLE)
    rank = found.rank_correlation
    assert rank.value == pytest.approx(stats.spearmanr(judge, PEOPLE).statistic)
    assert (found.slope, found.intercept) == pytest.approx((line.slope, line.intercept))
    assert rank.low is not None
    assert rank.low < rank.value <= rank.high


def test_table_by_the_judges_score() -> None:
    """For each score of the judge: how many reports got it and what people said of them; halves go up."""
    judge = pd.Series([7, 7, 6.5, 9.0], index=list("abcd"))
    steps = calibrate(judge, PEOPLE[:4], ITEMS).steps
    assert [(step.judge, step.n, step.people) for step in steps] == [
        (7, 3, pytest.approx(19 / 6 + 0 * 2)),
        (9, 1, 6.0),
    ]


def test_only_reports_that_both_scored_count() -> None:
    """Reports without a score of one side are left out; with none in common there is a reason."""
    assert calibrate(PEOPLE[:5], PEOPLE[3:], ITEMS).n == 2
    none = calibrate(PEOPLE[:2], PEOPLE[4:], ITEMS)
    assert (none.n, none.rank_correlation.reason) == (0, "no report was scored by both")


def test_a_judge_that_gives_one_score() -> None:
    """A constant judge has no ranks and no line, and says so instead of giving NaN."""
    found = calibrate(PEOPLE * 0 + 9, PEOPLE, ITEMS)
    assert found.rank_correlation.value is None
    assert found.rank_correlation.reason == "the judge gave every report the same score"
    assert (found.slope, found.intercept) == (None, None)
    assert found.bias.value == pytest.approx(9 - PEOPLE.mean())


def test_items_are_drawn_as_a_whole() -> None:
    """Eight reports on four items are too few clusters for an interval, on eight items they are not."""
    few = calibrate(PEOPLE, PEOPLE, pd.Series(list("ssttuuvv"), index=PEOPLE.index))
    assert few.bias.low is None
    assert few.bias.reason == "fewer than 5 clusters"
    assert calibrate(PEOPLE, PEOPLE, ITEMS).bias.low is not None


def test_interval_of_the_bias_is_students() -> None:
    """With a report per item the interval of judge less people is the paired t interval."""
    judge = PEOPLE + np.array([1, 2, 3, 1, 2, 3, 1, 2])
    interval = stats.ttest_rel(judge, PEOPLE).confidence_interval()
    bias = calibrate(judge, PEOPLE, ITEMS).bias
    assert (bias.low, bias.high) == pytest.approx((interval.low, interval.high))
