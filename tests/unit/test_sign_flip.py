"""The sign-flip test and its bounds, against scipy, Hartigan's theorem and made-up truths."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import permutation_test
from statsmodels.stats.multitest import multipletests

from analysis.change.sign_flip import MOST_EXACT, fewest_pairs, sign_flip
from analysis.holm import holm
from tests.unit.gate_simulation import Truth, share_failing, statuses

# Darwin's plants (Fisher, The Design of Experiments, 1935, section 21): differences of 15 pairs, in eighths of
# an inch. Of the 2^15 ways to sign them, 863 have a total as large or larger: one-sided p = 863 / 32768.
DARWIN = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=float)


def test_darwins_plants() -> None:
    """Fisher's own example: p = 0.0263 on one side; 15 pairs are many, so subsets are drawn."""
    assert sign_flip(DARWIN).p_above(0.0) == pytest.approx(863 / 2**15, abs=0.005)


@pytest.mark.parametrize("n", [2, 5, 8, MOST_EXACT])
def test_p_is_scipys(n: int) -> None:
    """Exact p values are those of scipy.stats.permutation_test, on both sides and around any value."""
    values = np.round(np.random.default_rng(n).normal(0.4, 1, n), 1)  # rounded, so that there are ties
    for value in (0.0, 0.3):
        for side, mine in (("greater", "p_above"), ("less", "p_below")):
            theirs = permutation_test(
                (values - value,), np.mean, permutation_type="samples", alternative=side, n_resamples=np.inf
            )
            assert getattr(sign_flip(values), mine)(value) == pytest.approx(theirs.pvalue)


def test_bounds_are_where_the_test_turns() -> None:
    """Just outside its bounds the test refuses a value, just inside it does not; five pairs give the extremes."""
    values = np.random.default_rng(3).normal(1, 1, 9)
    found = sign_flip(values)
    low, high = found.bounds(0.05) or (np.nan, np.nan)
    assert found.p_above(low - 1e-6) <= 0.05 < found.p_above(low + 1e-6)
    assert found.p_below(high + 1e-6) <= 0.05 < found.p_below(high - 1e-6)
    assert sign_flip(values[:5]).bounds(0.05) == pytest.approx((values[:5].min(), values[:5].max()))


def test_the_fewest_pairs() -> None:
    """Four pairs have no bound at 5 %, five have; six comparisons take seven."""
    assert [fewest_pairs(alpha) for alpha in (0.05, 0.05 / 6, 0.25)] == [5, 7, 2]
    assert sign_flip(np.ones(4)).bounds(0.05) is None
    assert sign_flip(np.ones(4)).p_above(0.0) == 1 / 16
    assert sign_flip(np.ones(5)).bounds(0.05) == (1.0, 1.0)


def test_holm_is_statsmodels() -> None:
    """Holm's correction is that of statsmodels, ties included."""
    values = np.array([0.04, 0.01, 0.03, 0.01, 0.9, 0.5])
    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1])


def test_coverage_of_the_bounds() -> None:
    """Whatever the symmetric noise, each bound misses the truth in at most 5 % of the made-up experiments."""
    random = np.random.default_rng(5)
    for n, draw in itertools.product(
        (5, 8), (random.standard_normal, lambda size: random.standard_t(2, size))
    ):
        bounds = [sign_flip(1 + draw(n)).bounds(0.05) or (0.0, 0.0) for _ in range(3_000)]
        low, high = np.array(bounds).T
        # Two standard errors of a share of 5 % among 3,000.
        assert (low > 1).mean() < 0.05 + 0.008
        assert (high < 1).mean() < 0.05 + 0.008
        assert (low > 1).mean() > 0.02  # nor is the bound worthless


@pytest.mark.parametrize("comparisons", [1, 4])
def test_false_failures(comparisons: int) -> None:
    """With no change and no margin, the hardest case, at most 5 % of gates fail, however much they gate."""
    truth = Truth(7, 0.0, 0.05, 0.02, margin=0.0, comparisons=comparisons)
    assert share_failing(truth, 1_500) < 0.05 + 0.012


def test_power() -> None:
    """A real regression is found where the items are enough, and not where they are too few."""
    assert share_failing(Truth(8, 0.2, 0.02, 0.02), 300) > 0.95
    assert share_failing(Truth(4, 0.5, 0.0), 100) == 0.0
    assert share_failing(Truth(8, 0.2, 0.5, 0.02), 300) < 0.3


def test_what_is_no_regression_is_said_rightly() -> None:
    """Where the truth lies beyond the margin, at most 5 % of gates say that there is none."""
    found = [one for (one,) in statuses(Truth(7, 0.051, 0.05, 0.02), 1_500, seed=2)]
    assert found.count("no_regression") / len(found) < 0.05 + 0.012
    assert found.count("undecided") > found.count("no_regression")
