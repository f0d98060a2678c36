"""The permutation test of a mean difference.

If two frameworks are alike, each item's difference may as well have the other sign. The two-sided p of the
mean is the share of sign patterns whose sum is at least as far from zero (Fisher, The Design of Experiments,
1935, section 21). On ranks this is the signed-rank test, which `analysis.estimates.signed_rank` has faster.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
MOST_EXACT_ITEMS = 15
"""16,384 patterns: signs and their opposites give the same p."""
SAMPLED = 9_999
SEED = 7
AT_ONCE = 1_000_000
"""Sums that are held at a time."""
DUST = 1e-9


def smallest_p(n_items: int) -> float:
    """Two-sided: all differences of one sign, or all of the other."""
    return min(1.0, 2.0 ** (1 - n_items))


def sign_flip_p(values: Values) -> Values:
    """Two-sided p of each row, pairs x items; exact up to MOST_EXACT_ITEMS items, else sampled."""
    pairs, items = values.shape
    exact = items <= MOST_EXACT_ITEMS
    signs = _patterns(items) if exact else _sampled(items)
    # A sampled pattern can never be rarer than the one that was seen (Phipson and Smyth, 2010).
    seen, of = (0, len(signs)) if exact else (1, len(signs) + 1)
    p = np.empty(pairs)
    step = max(1, AT_ONCE // len(signs))
    for start in range(0, pairs, step):
        some = values[start : start + step]
        least = np.abs(some.sum(axis=1)) - DUST * np.abs(some).sum(axis=1)
        p[start : start + step] = ((np.abs(some @ signs.T) >= least[:, None]).sum(axis=1) + seen) / of
    return p


@cache
def _patterns(items: int) -> Values:
    """All patterns of signs, the first one's fixed: its opposite has the same distance from zero."""
    bits = np.arange(2 ** max(0, items - 1))[:, None] >> np.arange(items)[None, :]
    signs: Values = (1 - 2 * (bits & 1)).astype(np.float64)
    return signs


@cache
def _sampled(items: int) -> Values:
    return np.random.default_rng(SEED).choice([-1.0, 1.0], size=(SAMPLED, items))
