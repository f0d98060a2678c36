"""Wilcoxon's signed-rank test, the Hodges-Lehmann difference and its interval, for many pairs at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Values = NDArray[np.float64]
MOST_EXACT = 50
"""Items, as in SciPy and R: above, the normal approximation, also of the interval's place."""
MOST_PATTERNS = 500
"""Different kinds of ties among the pairs, each with a distribution of its own: more take seconds."""
MOST_WALSH_ITEMS = 1_000
"""Items make n (n + 1) / 2 Walsh averages: with more the median difference is left out."""
AT_ONCE = 1_000_000
LEVEL = 0.95


def signed_ranks(differences: Values) -> Values:
    """Ranks of the absolute differences with their signs; an item without a difference has 0 and no rank."""
    moved = np.where(differences == 0, np.nan, np.abs(differences))
    ranks = stats.rankdata(moved, axis=1, nan_policy="omit")
    signed: Values = np.nan_to_num(ranks) * np.sign(differences)
    return signed


def wilcoxon_p(differences: Values) -> Values:
    """Two-sided p of each row, pairs x items, all finite; 1 without any difference.

    Exact up to 50 items, given the ties that there are; else the normal approximation with corrections for
    ties and continuity, as in R.
    """
    ranks = signed_ranks(differences)
    if differences.shape[1] <= MOST_EXACT:
        # Mean ranks of ties are halves.
        doubled = np.rint(2 * np.sort(np.abs(ranks), axis=1)).astype(int)
        patterns, which = np.unique(doubled, axis=0, return_inverse=True)
        if len(patterns) <= MOST_PATTERNS:
            return _exact(ranks, patterns, which)
    p = np.ones(len(ranks))
    moved = (ranks != 0).any(axis=1)
    if moved.any():
        p[moved] = stats.wilcoxon(
            differences[moved], axis=1, method="asymptotic", correction=True, keepdims=True
        ).pvalue[:, 0]
    return p


def _exact(ranks: Values, patterns: NDArray[np.int64], which: NDArray[np.int64]) -> Values:
    """The rarer side's sum of ranks against all ways to give the same ranks their signs."""
    smaller = np.minimum(np.clip(ranks, 0, None).sum(axis=1), np.clip(-ranks, 0, None).sum(axis=1))
    at = np.rint(2 * smaller).astype(int)
    p = np.empty(len(ranks))
    for number, pattern in enumerate(patterns):
        mine = which == number
        p[mine] = 2 * np.cumsum(_distribution(pattern))[at[mine]]
    return np.minimum(p, 1.0)


def rank_biserial(differences: Values) -> Values:
    """Of matched pairs (Kerby, 2014): from -1, all ranks below zero, to 1; 0 without any difference."""
    ranks = signed_ranks(differences)
    total = np.abs(ranks).sum(axis=1)
    share: Values = ranks.sum(axis=1) / np.where(total == 0, 1, total)
    return share


def hodges_lehmann(differences: Values) -> tuple[Values, Values, Values]:
    """Estimate, low and high of each row: the median of the Walsh averages and the two that bound 95 %.

    Low and high are NaN where not even the widest interval reaches 95 %: below six items. All are NaN above
    MOST_WALSH_ITEMS.
    """
    return _by_parts(differences, _hodges_lehmann)


def _hodges_lehmann(differences: Values) -> Values:
    if differences.shape[1] > MOST_WALSH_ITEMS:
        return np.full((3, len(differences)), np.nan)
    first, second = np.triu_indices(differences.shape[1])
    walsh = np.sort((differences[:, first] + differences[:, second]) / 2, axis=1)
    middle = np.median(walsh, axis=1)
    outside = _left_out(differences.shape[1])
    if outside is None:
        missing = np.full(len(walsh), np.nan)
        return np.array([middle, missing, missing])
    return np.array([middle, walsh[:, outside], walsh[:, -1 - outside]])


def _by_parts(differences: Values, work: Callable[[Values], Values]) -> tuple[Values, Values, Values]:
    pairs, items = differences.shape
    step = max(1, AT_ONCE // (items * (items + 1)))
    parts = [work(differences[start : start + step]) for start in range(0, pairs, step)]
    middle, low, high = np.concatenate(parts, axis=1)
    return middle, low, high


@cache
def _left_out(items: int) -> int | None:
    """Walsh averages to leave out at each end, so that the rest covers at least 95 %; None: nothing does."""
    tail = (1 - LEVEL) / 2
    if items > MOST_EXACT:
        mean = items * (items + 1) / 4
        return int(mean + stats.norm.ppf(tail) * np.sqrt(mean * (2 * items + 1) / 6))
    most = int(np.searchsorted(np.cumsum(_distribution(range(1, items + 1))), tail)) - 1
    return most if most >= 0 else None


def _distribution(ranks: Iterable[int]) -> Values:
    """P(sum of the ranks with a plus = 0, 1, 2, ...), every sign as likely as its opposite."""
    chances = np.ones(1)
    for rank in ranks:
        chances = (np.pad(chances, (0, rank)) + np.pad(chances, (rank, 0))) / 2
    return chances
