"""Power of the paired t test over items: what a planned comparison of two frameworks will see."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

MOST_ITEMS = 100_000
FAR = 30.0
"""Noncentrality beyond which the power is 1 to every digit, and its distribution beyond a float's reach."""


def power_of(difference: float, variance: float, items: int, alpha: float) -> float:
    """Chance that the two-sided test at `alpha` finds the difference with its right sign or the wrong one.

    Noncentral t (Cohen: Statistical Power Analysis, 2nd ed. (1988), chapter 2).

    Args:
        difference: True mean difference of the two frameworks.
        variance: Of one item's difference.
        items: At least 2.
        alpha: Of this one test.
    """
    if variance == 0:
        return 1.0 if difference else alpha
    center = abs(difference) * math.sqrt(items / variance)
    if center > FAR:
        return 1.0
    free = items - 1
    limit = stats.t.isf(alpha / 2, free)
    # SciPy gives NaN where the other tail is below the smallest float.
    wrong_sign = np.nan_to_num(stats.nct.cdf(-limit, free, center))
    return float(np.clip(stats.nct.sf(limit, free, center) + wrong_sign, 0, 1))


def items_for(difference: float, variance: float, power: float, alpha: float, *, fewest: int) -> int | None:
    """Fewest items that reach `power`, at least `fewest`; None above MOST_ITEMS."""
    if power_of(difference, variance, MOST_ITEMS, alpha) < power:
        return None
    low, high = fewest - 1, fewest
    while power_of(difference, variance, high, alpha) < power:
        low, high = high, min(2 * high, MOST_ITEMS)
    while high - low > 1:
        middle = (low + high) // 2
        if power_of(difference, variance, middle, alpha) < power:
            low = middle
        else:
            high = middle
    return high


def smallest_shown(variance: float, items: int, power: float, alpha: float) -> float:
    """The difference that `items` items show with `power`, in the variance's unit."""
    if variance == 0:
        return 0.0
    low, high = 0.0, FAR * math.sqrt(variance / items)
    for _ in range(60):
        middle = (low + high) / 2
        if power_of(middle, variance, items, alpha) < power:
            low = middle
        else:
            high = middle
    return high
