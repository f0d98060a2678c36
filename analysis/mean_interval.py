"""95 % intervals over items: of a mean Student's t; how far to go out in the bootstrap of any other figure.

Measured coverage is in docs/statistics.md: with 5 to 8 items the percentile and the BCa bootstrap hold the
true mean 80 to 90 times in 100, Student's t 93 to 96 times for differences as two frameworks have them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Values = NDArray[np.float64]
FEWEST_ITEMS = 5
"""Fewer items say too little of the shape of their differences for any interval."""
FEWEST_FOR_BCA = 30
"""Its coverage of a mean is 93.5 % there, and lower below."""
MOST_FOR_BCA = 1_000
"""Items: with more, it and t are the same."""
MOST_BCA = 500
"""Means for which it is drawn: more take too long."""
RESAMPLES = 2_000
SEED = 7
LEVEL = 0.95


def t_interval(values: Values) -> tuple[Values, Values]:
    """Low and high of each row's mean, rows x items; NaN below FEWEST_ITEMS items."""
    rows, items = values.shape
    if items < FEWEST_ITEMS:
        return np.full(rows, np.nan), np.full(rows, np.nan)
    half = stats.t.ppf((1 + LEVEL) / 2, items - 1) * stats.sem(values, axis=1)
    mean = values.mean(axis=1)
    return mean - half, mean + half


def bca_interval(values: Values) -> tuple[Values, Values]:
    """The same by the bias-corrected and accelerated bootstrap; NaN where it is not apt."""
    rows, items = values.shape
    low, high = np.full(rows, np.nan), np.full(rows, np.nan)
    varied = np.ptp(values, axis=1) > 0
    if FEWEST_FOR_BCA <= items <= MOST_FOR_BCA and rows <= MOST_BCA and varied.any():
        found = stats.bootstrap(
            (values[varied],), np.mean, axis=1, n_resamples=RESAMPLES, confidence_level=LEVEL, method="BCa",
            batch=200, rng=np.random.default_rng(SEED),
        )  # fmt: skip
        low[varied], high[varied] = found.confidence_interval
    return low, high


def expanded_tails(clusters: int) -> tuple[float, float]:
    """Between which quantiles of the resamples a 95 % interval lies, for figures that have no t interval.

    The plain percentile interval of a mean is narrower than Student's t by sqrt(1 - 1 / n) and by the normal
    quantile in place of t's; these quantiles make up for both (Hesterberg, What Teachers Should Know About
    the Bootstrap, The American Statistician 69, 2015, section 5.3).
    """
    reach = np.sqrt(clusters / (clusters - 1)) * stats.t.ppf((1 + LEVEL) / 2, clusters - 1)
    tail = float(stats.norm.sf(reach))
    return tail, 1 - tail
