"""The bootstrap of what people's ratings tell: whole clusters are drawn, each figure is taken of all draws.

A draw is a row of weights, how often each observation is in it: a cluster drawn twice has all its
observations twice (Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.clustered_mean import Values
from analysis.mean_interval import expanded_tails
from analysis.people_result import Estimate

RESAMPLES = 2_000
SEED = 7
FEWEST_CLUSTERS = 5
"""Fewer, and a percentile interval is little but the lowest and the highest cluster."""
TOO_FEW = f"fewer than {FEWEST_CLUSTERS} clusters"


def cluster_draws(clusters: NDArray[Any]) -> Values | None:
    """Weights, draws x observations; None for too few clusters to draw from."""
    names, places = np.unique(clusters, return_inverse=True)
    if len(names) < FEWEST_CLUSTERS:
        return None
    share = np.full(len(names), 1 / len(names))
    drawn = np.random.default_rng(SEED).multinomial(len(names), share, size=RESAMPLES)
    return drawn[:, places].astype(float)


def percentile_estimate(value: float, draws: Values | None, clusters: int) -> Estimate:
    """Of `clusters`. Draws without a value (NaN) are left out; an interval needs half of them."""
    if draws is None:
        return Estimate(value=value, reason=TOO_FEW)
    known = draws[np.isfinite(draws)]
    if len(known) < RESAMPLES / 2:
        return Estimate(value=value, reason="most resamples have no variation")
    low, high = np.quantile(known, expanded_tails(clusters))
    return Estimate(value=value, low=low, high=high)


def spearman(x: Values, y: Values, weights: Values) -> Values:
    """Rank correlation of each draw, ties sharing their mean rank; NaN where either does not vary."""
    of_x, of_y = _ranks_off_their_mean(x, weights), _ranks_off_their_mean(y, weights)
    both, spread_x, spread_y = (
        np.einsum("dn,dn,dn->d", weights, one, other)
        for one, other in ((of_x, of_y), (of_x, of_x), (of_y, of_y))
    )
    known = (spread_x > 1e-9) & (spread_y > 1e-9)
    correlation: Values = np.full(len(weights), np.nan)
    correlation[known] = both[known] / np.sqrt(spread_x[known] * spread_y[known])
    return correlation


def _ranks_off_their_mean(values: Values, weights: Values) -> Values:
    """Draws x observations, each rank as if every observation were there as often as its weight says."""
    distinct, place = np.unique(values, return_inverse=True)
    held = weights @ np.eye(len(distinct))[place]
    mean = held.sum(axis=1, keepdims=True) / 2
    ranks: Values = (np.cumsum(held, axis=1) - held / 2 - mean)[:, place]
    return ranks
