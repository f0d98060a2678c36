"""What paired differences say without assuming their distribution: the sign-flip test, and its bounds.

If nothing changed, base and head can be swapped in every pair, so each difference is as likely with either
sign. The test counts in how many of the 2^n ways to sign them the mean is at least as large as it is. Turned
round, the values that it does not refuse are bounded by the means of the subsets of the differences
(Hartigan, Using subsample values as typical values, Journal of the American Statistical Association 64,
1969). With n = 5 and one side at 5 %, that bound is the smallest of the five differences.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

MOST_EXACT = 12
"""Differences of which all subsets are taken, 4,095 of them; of more, as many as SUBSETS, drawn at random."""
SUBSETS = 9_999
SEED = 7
DUST = 1e-9
"""Equal means can differ in their last bits by the order of addition; a tie counts against the change."""


@dataclass(frozen=True)
class SignFlip:
    """`subset_means`: sorted. The data themselves are one way more to sign the differences."""

    subset_means: Values

    @property
    def ways(self) -> int:
        return len(self.subset_means) + 1

    def p_above(self, value: float) -> float:
        """One-sided: how surprising the differences are if their true mean is `value` or less."""
        return float(np.searchsorted(self.subset_means, value + DUST, side="right") + 1) / self.ways

    def p_below(self, value: float) -> float:
        above = len(self.subset_means) - np.searchsorted(self.subset_means, value - DUST, side="left")
        return float(above + 1) / self.ways

    def p_two_sided(self, value: float = 0.0) -> float:
        return min(1.0, 2 * min(self.p_above(value), self.p_below(value)))

    def bounds(self, alpha: float) -> tuple[float, float] | None:
        """What the true mean is above and below, each wrong in at most `alpha`; None for too few pairs."""
        place = math.floor(alpha * self.ways + DUST)
        if place < 1:
            return None
        return float(self.subset_means[place - 1]), float(self.subset_means[-place])


def sign_flip(differences: Values) -> SignFlip:
    """Of at least one finite difference."""
    weights = _subsets(len(differences))
    return SignFlip(np.sort(weights @ differences))


def fewest_pairs(alpha: float) -> int:
    """Below this many, no differences however large can be told from chance at `alpha` on one side."""
    return math.ceil(-math.log2(alpha) - DUST)


@cache
def _subsets(n: int) -> Values:
    """Subsets x n: the weights whose products are the subsets' means."""
    if n <= MOST_EXACT:
        numbers = np.arange(1, 2**n)
        taken = (numbers[:, None] >> np.arange(n)) & 1
    else:
        drawn = np.random.default_rng(SEED).random((SUBSETS, n)) < 0.5
        drawn[~drawn.any(axis=1)] = True  # of 13 pairs, one draw in 8,192 is empty
        taken = drawn.astype(int)
    return np.asarray(taken / taken.sum(axis=1, keepdims=True), dtype=float)
