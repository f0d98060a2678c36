"""All pairs of frameworks on one metric: paired tests and estimates, one array each.

Pairs that share equally many items are worked out together: 200 frameworks make 19,900 pairs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.estimates.sign_flips import sign_flip_p
from analysis.estimates.signed_rank import hodges_lehmann, rank_biserial, wilcoxon_p
from analysis.mean_interval import FEWEST_ITEMS, bca_interval, t_interval

Values = NDArray[np.float64]
DUST = 9
"""Decimals: differences of equal means can differ from 0 in their last bits."""
MOST_FLIPPED = 1_000
"""Pairs for which the sign-flip test is made; more take too long."""
MOST_FLIPPED_ITEMS = 200
"""With more items the t test gives the same."""


@dataclass(frozen=True)
class PairTests:
    """One entry per pair, NaN where there is none."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    n: NDArray[np.int64]
    mean: Values = field(init=False)
    low: Values = field(init=False)
    high: Values = field(init=False)
    bca_low: Values = field(init=False)
    bca_high: Values = field(init=False)
    hodges_lehmann: Values = field(init=False)
    hl_low: Values = field(init=False)
    hl_high: Values = field(init=False)
    rank_biserial: Values = field(init=False)
    p_wilcoxon: Values = field(init=False)
    p_flip: Values = field(init=False)
    p_t: Values = field(init=False)
    p_equal: Values = field(init=False)

    def __post_init__(self) -> None:
        for each in fields(self):
            if not each.init:
                object.__setattr__(self, each.name, np.full(len(self.first), np.nan))


def compare_all(means: Values, margin: float | None, step: float) -> PairTests:
    """`means`: items x frameworks, NaN where a cell is missing. Pairs that share no item are left out."""
    first, second = np.triu_indices(means.shape[1], 1)
    apart = (means[:, first] - means[:, second]).T.round(DUST)
    known = np.isfinite(apart)
    held = known.any(axis=1)
    first, second, apart, known = first[held], second[held], apart[held], known[held]
    found = PairTests(first, second, known.sum(axis=1))
    for items in np.unique(found.n):
        rows = np.flatnonzero(found.n == items)
        _fill(found, rows, apart[rows][known[rows]].reshape(len(rows), items), margin, step)
    return found


def _fill(
    found: PairTests, rows: NDArray[np.int64], apart: Values, margin: float | None, step: float
) -> None:
    found.mean[rows] = apart.mean(axis=1)
    found.low[rows], found.high[rows] = t_interval(apart)
    found.bca_low[rows], found.bca_high[rows] = bca_interval(apart)
    found.hodges_lehmann[rows], found.hl_low[rows], found.hl_high[rows] = hodges_lehmann(apart)
    found.rank_biserial[rows] = rank_biserial(apart)
    found.p_wilcoxon[rows] = wilcoxon_p(apart)
    if len(found.n) <= MOST_FLIPPED and apart.shape[1] <= MOST_FLIPPED_ITEMS:
        found.p_flip[rows] = sign_flip_p(apart)
    if apart.shape[1] >= FEWEST_ITEMS:
        found.p_t[rows] = paired_t_p(apart, step)
        if margin is not None:
            found.p_equal[rows] = equivalence_p(apart, margin, step)


def paired_t_p(apart: Values, step: float) -> Values:
    """Two-sided p of each row's mean."""
    p: Values = 2 * stats.t.sf(np.abs(apart.mean(axis=1)) / _error(apart, step), apart.shape[1] - 1)
    return p


def equivalence_p(apart: Values, margin: float, step: float) -> Values:
    """TOST (Schuirmann, 1987): the larger p of two one-sided t tests, that the mean is within the margin."""
    t = (margin - np.abs(apart.mean(axis=1))) / _error(apart, step)
    p: Values = stats.t.sf(t, apart.shape[1] - 1)
    return p


def _error(apart: Values, step: float) -> Values:
    """Standard error of the mean. Values in steps can agree by chance, so none is taken as without spread.

    Rounding to a step adds step^2 / 12 to a variance (Sheppard), here of both frameworks.
    """
    error: Values = np.sqrt((apart.var(axis=1, ddof=1) + step**2 / 6) / apart.shape[1])
    return error
