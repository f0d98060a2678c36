"""A mean of observations that come in clusters, with an interval that holds from few clusters on.

Residuals are scaled by 1 / sqrt(1 - leverage) (CR2: Bell and McCaffrey, Bias Reduction in Standard Errors for
Linear Regression with Multi-Stage Samples, Survey Methodology 28, 2002). Where every observation is a cluster
and weighs the same, this is the usual s^2 / n. Intervals are Student's t, clusters less one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.people_result import Estimate

Values = NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True)
class Mean:
    """A mean and what each cluster adds to its error: the variance is the sum of their squares."""

    value: float
    errors: Values
    freedom: int

    def minus(self, other: Mean) -> Mean:
        """Clusters that both share cancel where they erred alike."""
        return Mean(self.value - other.value, self.errors - other.errors, min(self.freedom, other.freedom))

    @property
    def standard_error(self) -> float:
        return float(np.sqrt((self.errors**2).sum()))

    def estimate(self) -> Estimate:
        if self.freedom < 1:
            return Estimate(value=self.value, reason="too few clusters")
        half = float(stats.t.ppf((1 + LEVEL) / 2, self.freedom)) * self.standard_error
        return Estimate(value=self.value, low=self.value - half, high=self.value + half)


def clustered_mean(values: Values, weights: Values, cluster: NDArray[np.int64], clusters: int) -> Mean:
    """`cluster` numbers each observation's cluster, below `clusters`."""
    total = weights.sum()
    value = float(weights @ values / total)
    off = np.bincount(cluster, weights * (values - value), minlength=clusters) / total
    leverage = np.bincount(cluster, weights, minlength=clusters) / total
    held = leverage > 0
    errors = np.zeros(clusters)
    # One cluster alone has leverage 1 and no residual; it gets no interval for want of freedom.
    errors[held] = off[held] / np.sqrt(np.maximum(1 - leverage[held], 1e-12))
    return Mean(value, errors, int(held.sum()) - 1)
