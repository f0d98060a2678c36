"""Paired tests and estimates against textbook values, other libraries and brute force."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from analysis.estimates.best import chances_of_best
from analysis.estimates.family import compare_family
from analysis.estimates.groups import letters, letters_of, maximal_groups
from analysis.estimates.pairs import compare_all, equivalence_p, paired_t_p
from analysis.estimates.sign_flips import sign_flip_p, smallest_p
from analysis.estimates.signed_rank import hodges_lehmann, rank_biserial, wilcoxon_p
from analysis.friedman_permutation import permutation_p
from analysis.holm import holm
from analysis.mean_interval import bca_interval, expanded_tails, t_interval

# Hamilton depression scale before and after a tranquilliser: Hollander and Wolfe, Nonparametric Statistical
# Methods, 1973, p. 29, and the example of R's wilcox.test.
BEFORE = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
AFTER = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
# Darwin's maize, crossed less selfed, eighths of an inch: Fisher, The Design of Experiments, 1935, section 17.
MAIZE = np.array([[49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]], dtype=float)


def test_signed_rank_of_the_depression_data() -> None:
    """V = 40 of 45 gives R's p, and the median difference and interval that Hollander and Wolfe print."""
    apart = (BEFORE - AFTER)[None, :]
    assert wilcoxon_p(apart)[0] == pytest.approx(2 * 0.01953125)
    assert rank_biserial(apart)[0] == pytest.approx((40 - 5) / 45)
    found = [float(each[0]) for each in hodges_lehmann(apart)]
    assert found == pytest.approx([0.46, 0.010, 0.786])


def test_sign_flips_of_darwins_maize() -> None:
    """Fisher counted 863 of the 32,768 sign patterns with a sum of 314 or more: 5.267 % two-sided."""
    assert sign_flip_p(MAIZE)[0] == pytest.approx(2 * 863 / 32_768)


def test_paired_t_of_darwins_maize() -> None:
    """Fisher's t of 2.148 with 14 degrees of freedom: p = 0.0497, and the interval just leaves out zero."""
    assert paired_t_p(MAIZE, 0.0)[0] == pytest.approx(0.0497, abs=5e-5)
    (low,), (high,) = t_interval(MAIZE)
    assert (low, high) == pytest.approx((20.933 - 2.1448 * 9.746, 20.933 + 2.1448 * 9.746), abs=2e-3)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=8))
def test_both_exact_tests_count_every_sign(differences: list[int]) -> None:
    """With ties and zeros too, both p are the share of sign patterns found by trying each."""
    values = np.array([differences], dtype=float)
    moved = values[0][values[0] != 0]
    ranks = stats.rankdata(np.abs(moved)) * np.sign(moved)
    for p, scores in ((sign_flip_p(values)[0], values[0]), (wilcoxon_p(values)[0], ranks)):
        sums = [np.dot(signs, scores) for signs in product((-1, 1), repeat=len(scores))]
        assert p == pytest.approx(np.mean([abs(total) >= abs(scores.sum()) - 1e-9 for total in sums]))


@pytest.mark.parametrize("items", [6, 13, 30, 60])
def test_signed_rank_agrees_with_scipy(items: int) -> None:
    """Without ties every row of a family has the p that scipy gives it alone."""
    values = np.random.default_rng(items).normal(0.3, 1, (7, items))
    alone = [stats.wilcoxon(row, correction=True).pvalue for row in values]
    wanted = (
        alone
        if items <= 50
        else [stats.wilcoxon(r, method="asymptotic", correction=True).pvalue for r in values]
    )
    assert wilcoxon_p(values) == pytest.approx(wanted)


def test_sampled_sign_flips_are_near_the_exact_ones() -> None:
    """Above 15 items a sample of patterns gives the p of scipy's own permutation test, to within its error."""
    values = np.random.default_rng(1).normal(0.4, 1, (1, 18))
    exact = stats.permutation_test(
        (values[0],), np.sum, permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert sign_flip_p(values)[0] == pytest.approx(exact, abs=4 * np.sqrt(exact / 9_999))


def test_smallest_p() -> None:
    """Three items cannot go below a quarter, five not below a sixteenth, and data that all agree get there."""
    assert [smallest_p(n) for n in (1, 3, 5, 6)] == [1, 0.25, 0.0625, 0.03125]
    for items in (3, 5, 6):
        agreeing = np.arange(1.0, items + 1)[None, :]
        assert wilcoxon_p(agreeing)[0] == sign_flip_p(agreeing)[0] == smallest_p(items)


def test_tost_is_that_of_statsmodels() -> None:
    """The p of equivalence is the one statsmodels works out from both samples."""
    noise = np.random.default_rng(2)
    x, y = noise.normal(5, 1, 12), noise.normal(5.2, 1, 12)
    wanted = ttost_paired(x, y, -0.5, 0.5)[0]
    assert equivalence_p((x - y)[None, :], 0.5, 0.0)[0] == pytest.approx(wanted)


def test_holm_as_in_r() -> None:
    """R: p.adjust(c(.01, .02, .03, .04), "holm") is .04 .06 .06 .06; a test that was not made counts for none."""
    assert holm(np.array([0.01, 0.02, 0.03, 0.04])) == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert holm(np.array([0.01, np.nan, 0.5]))[0] == pytest.approx(0.02)


def test_a_step_keeps_chance_agreement_from_certainty() -> None:
    """Five equal differences have no spread; in values that come in steps of 0.2 that is no proof."""
    same = np.full((1, 5), 0.2)
    # Standard error sqrt(0.2^2 / 6 / 5), so t = sqrt(30).
    assert paired_t_p(same, 0.2)[0] == pytest.approx(2 * stats.t.sf(np.sqrt(30), 4))


def test_friedman_by_counting_orders() -> None:
    """Three items that rank three frameworks alike: 6 of the 216 orders do, and 36 need looking at."""
    assert permutation_p(np.tile([1.0, 2, 3], (3, 1))) == (pytest.approx(6 / 216), 36)
    sampled = permutation_p(np.tile(np.arange(1.0, 8), (4, 1)))
    assert sampled is not None
    assert sampled == (pytest.approx(1e-4), 0)
    assert permutation_p(np.ones((11, 3))) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.data())
def test_groups_are_the_maximal_sets(count: int, data: st.DataObject) -> None:
    """Whatever pairs differ, the groups are all sets without such a pair to which nothing can be added."""
    pairs = list(combinations(range(count), 2))
    differ = data.draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    alike = [
        set(some)
        for size in range(1, count + 1)
        for some in combinations(range(count), size)
        if not any(pair in differ for pair in combinations(some, 2))
    ]
    wanted = sorted(sorted(some) for some in alike if not any(some < other for other in alike))
    groups = maximal_groups(count, differ)
    assert groups == wanted
    for i, j in pairs:
        shared = set(letters_of(i, groups)) & set(letters_of(j, groups))
        assert bool(shared) == ((i, j) not in differ)


def test_too_many_groups_are_not_made() -> None:
    """Forty pairs of rivals would make 2 to the 40 groups: none are made, at once."""
    assert maximal_groups(80, [(2 * i, 2 * i + 1) for i in range(40)]) is None
    assert letters(28)[-2:] == ["aa", "ab"]


def test_chances_of_best() -> None:
    """Twins share their chance, a clear best has all of it, and with four items nothing is said."""
    noise = np.random.default_rng(3)
    level = noise.normal(size=8)
    chances = chances_of_best(np.column_stack([level, level, level - 9]), higher=True)
    assert chances is not None
    assert chances == pytest.approx([0.5, 0.5, 0.0])
    fewest = chances_of_best(np.column_stack([level, level - 9]), higher=False)
    assert fewest is not None
    assert fewest == pytest.approx([0.0, 1.0])
    assert chances_of_best(np.zeros((4, 2)), higher=True) is None


def test_a_chance_of_best_is_that_of_students_t() -> None:
    """Of two frameworks, one's chance is the one-sided p of the paired t test, turned round."""
    means = np.random.default_rng(8).normal([0.4, 0.0], size=(6, 2))
    chances = chances_of_best(means, higher=True)
    assert chances is not None
    one_sided = stats.ttest_rel(means[:, 0], means[:, 1], alternative="greater").pvalue
    assert chances[0] == pytest.approx(1 - one_sided, abs=0.02)


def test_bootstrap_only_where_it_is_apt() -> None:
    """BCa intervals begin at thirty items; Student's t at five; tails are wider for few items."""
    few, many = np.random.default_rng(4).normal(size=(2, 29)), np.random.default_rng(4).normal(size=(2, 30))
    assert np.isnan(bca_interval(few)).all()
    low, high = bca_interval(many)
    assert (low < many.mean(axis=1)).all()
    assert (many.mean(axis=1) < high).all()
    assert np.isnan(t_interval(np.zeros((1, 4)))).all()
    assert expanded_tails(5)[0] < expanded_tails(50)[0] < 0.025
    # t of 4 degrees 2.776 times sqrt(5 / 4) is 3.104 standard deviations.
    assert expanded_tails(5)[0] == pytest.approx(stats.norm.sf(3.104), rel=2e-3)


def test_missing_cells_pair_only_what_both_have() -> None:
    """A pair uses the items that both have; a pair without a common item is not there."""
    nan = np.nan
    means = np.array([[1.0, 2, nan], [2, 4, nan], [nan, 9, 1], [3, 6, nan]])
    found = compare_all(means, 1.0, 0.0)
    assert list(zip(found.first.tolist(), found.second.tolist(), found.n.tolist(), strict=True)) == [
        (0, 1, 3),
        (1, 2, 1),
    ]
    assert found.mean.tolist() == [-2, 8]


def test_ranks_decide_where_they_can_and_t_where_not() -> None:
    """Three pairs need seven items for a signed-rank p that survives Holm; below, t; below five, nothing."""

    def decided(items: int) -> str:
        means = pd.DataFrame(np.random.default_rng(5).normal(size=(items, 3)), columns=list("abc"))
        found = compare_family("tokens", None, means, margin=1.0, noise=None, floor=None)
        assert found is not None
        return found.family.decided_by

    assert [decided(items) for items in (4, 5, 6, 7)] == ["none", "paired_t", "paired_t", "wilcoxon"]


def test_a_planted_order_gives_its_groups() -> None:
    """One, b, is far better than a and c, which differ by noise: two groups, b best of all, a and c shown equal."""
    noise = np.random.default_rng(6)
    base = noise.normal(7, 1, 12)
    means = pd.DataFrame(
        {"a": base, "b": base + 2 + noise.normal(0, 0.1, 12), "c": base + noise.normal(0, 0.1, 12)}
    )
    found = compare_family("quality", "idiomatic", means, margin=0.5, noise=None, floor="c")
    assert found is not None
    assert found.family.decided_by == "wilcoxon"
    assert [(g.letter, sorted(g.subjects), g.equal_shown) for g in found.groups] == [
        ("a", ["b"], False),
        ("b", ["a", "c"], True),
    ]
    assert {n for n, s in found.best.items() if s.best_of_all} == {"b"}
    assert [n for n, s in found.best.items() if s.unbeaten] == ["b"]
    assert found.family.reference == "c"
    pair = next(p for p in found.pairs if (p.a, p.b) == ("a", "b"))
    assert (pair.better, pair.shown, pair.equal_shown) == ("b", True, False)
    assert pair.mean_difference == pytest.approx((means["a"] - means["b"]).mean())
    assert pair.interval is not None
    assert pair.interval.low < pair.mean_difference < pair.interval.high < 0
