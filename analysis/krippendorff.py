"""Krippendorff's alpha: how far judges agree beyond chance."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import stats

Level = Literal["interval", "ordinal"]
LOWEST_USABLE = 0.667
"""Below this no conclusion should rest on scores (Krippendorff: Content Analysis, 2nd ed., 2004, p. 241)."""


def krippendorff_alpha(scores: np.ndarray, level: Level = "interval") -> float:
    """1: full agreement, 0: what chance gives.

    For squared differences the observed disagreement is the mean variance within units, weighted by their
    number of scores, and the expected one is the variance of all scores (Krippendorff: Computing
    Krippendorff's Alpha-Reliability, 2011); ordinal is the same on mid-ranks.

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
    expected = np.nanvar(used, ddof=1)
    if expected <= 0:
        return float("nan")
    observed = np.average(np.nanvar(used, axis=1, ddof=1), weights=np.isfinite(used).sum(axis=1))
    return float(1 - observed / expected)
