"""Krippendorff's alpha: how far judges agree beyond chance."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import stats

from analysis.clustered_mean import Values

Level = Literal["interval", "ordinal"]
LOWEST_USABLE = 0.667
"""Below this no conclusion should rest on scores (Krippendorff: Content Analysis, 2nd ed., 2004, p. 241)."""


def krippendorff_alpha(scores: Values, level: Level = "interval") -> float:
    """1: full agreement, 0: what chance gives.

    Squared differences, observed within units over expected among all scores (Krippendorff: Computing
    Krippendorff's Alpha-Reliability, 2011, part E); ordinal is the same on mid-ranks.

    Args:
        scores: Units x judges, NaN where a judge has no score. Units with one score are left out.
        level: What differences mean: "interval" their size, "ordinal" only their order.

    Returns:
        Alpha; NaN where no unit has two scores or all scores are equal.
    """
    used = scores[np.isfinite(scores).sum(axis=1) >= 2]
    if not used.size:
        return float("nan")
    if level == "ordinal":
        used = stats.rankdata(used, axis=None, nan_policy="omit").reshape(used.shape)
    return float(resampled_alpha(used, np.ones((1, len(used))))[0])


def resampled_alpha(values: Values, weights: Values) -> Values:
    """Alpha for interval data, for each row of weights (how often each unit is there).

    1 - D_o / D_e. Within a unit of m values the sum of squared differences over its pairs is
    m sum(x^2) - sum(x)^2, so thousands of resamples cost one product of matrices.

    Args:
        values: Units x judges, NaN where missing; each unit with two values or more.
        weights: Draws x units.
    """
    given = np.isfinite(values)
    filled = np.where(given, values, 0.0)
    several = given.sum(axis=1)
    first, second = filled.sum(axis=1), (filled**2).sum(axis=1)
    n = weights @ several
    observed = weights @ ((several * second - first**2) / (several - 1)) / n
    expected = (n * (weights @ second) - (weights @ first) ** 2) / (n * (n - 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        alpha: Values = np.where(expected > 1e-9, 1 - observed / expected, np.nan)
    return alpha
