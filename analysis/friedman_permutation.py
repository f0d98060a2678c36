"""Friedman's test without the chi-squared approximation, which is coarse for few items.

If frameworks do not differ, the ranks within each item are in any order alike. The p is the share of all
orders, or of a sample of them, that part the frameworks' rank sums at least as far as the data do.
"""

from __future__ import annotations

from itertools import permutations
from math import factorial

import numpy as np
from numpy.typing import NDArray

MOST_ITEMS = 10
"""Above, the approximation serves."""
MOST_ORDERS = 50_000
SAMPLED = 9_999
SEED = 7
DUST = 1e-9


def permutation_p(ranks: NDArray[np.float64]) -> tuple[float, int] | None:
    """Of ranks, items x frameworks: p and how many orders it is over, 0 for a sample; None for many items."""
    items, frameworks = ranks.shape
    if not 2 <= items <= MOST_ITEMS:
        return None
    middle = items * (frameworks + 1) / 2
    seen = ((ranks.sum(axis=0) - middle) ** 2).sum() * (1 - DUST)
    orders = factorial(frameworks) ** (items - 1) if frameworks < MOST_ITEMS else MOST_ORDERS + 1
    if orders <= MOST_ORDERS:
        spread = ((_all_sums(ranks) - middle) ** 2).sum(axis=1)
        return float((spread >= seen).mean()), orders
    noise = np.random.default_rng(SEED)
    sums = np.zeros((SAMPLED, frameworks))
    for row in ranks:
        sums += noise.permuted(np.broadcast_to(row, sums.shape), axis=1)
    spread = ((sums - middle) ** 2).sum(axis=1)
    return float((1 + (spread >= seen).sum()) / (1 + SAMPLED)), 0


def _all_sums(ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank sums of every order; the first item's is fixed, since only orders against it matter."""
    sums = ranks[:1]
    for row in ranks[1:]:
        sums = (sums[:, None, :] + np.array(list(permutations(row)))[None]).reshape(-1, ranks.shape[1])
    return sums
