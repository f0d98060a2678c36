"""Prediction-powered inference for a mean: a judge scored every report, people some of them.

Angelopoulos, Bates, Fannjiang, Jordan, Zrnic: Prediction-powered inference, Science 382, 2023 (the mean is
its first example), and Angelopoulos, Duchi, Zrnic: PPI++, arXiv 2311.01453, 2023 (lambda, its section on
power tuning). With y people's scores of the n rated reports, f the judge's of these and g of the others:

    theta(lambda) = mean(y) + lambda (mean(g) - mean(f))

lambda = 0 is people's mean alone. lambda = others / all is the judge's mean over all reports plus the mean of
(people - judge) over the rated. Power tuning takes the lambda that makes the variance least.

Errors are by cluster (`clustered_mean`): items, or single reports. Reports on one item, rated or not, are one
piece of evidence. Degrees of freedom: clusters that hold rated reports, less one, and one less for a tuned
lambda.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.clustered_mean import Mean, Values, clustered_mean

FLAT = 1e-12
"""Variance below which scores do not vary, but for their last bits."""


@dataclass(frozen=True)
class Scored:
    """Reports of one framework; all arrays have one value per report."""

    judge: Values
    people: Values
    """NaN: not rated."""
    weights: Values
    """Runs that gave this report."""
    cluster: NDArray[np.int64]
    """From 0; one numbering for all frameworks that are compared."""
    clusters: int
    """How many there are in all."""

    @property
    def rated(self) -> NDArray[np.bool_]:
        return np.isfinite(self.people)

    def rated_clusters(self) -> int:
        return len(np.unique(self.cluster[self.rated]))


def judge_mean(scored: Scored) -> Mean:
    """Uncorrected, over all reports."""
    everything = np.ones(len(scored.judge), dtype=bool)
    mean = _mean(scored, scored.judge, everything)
    return replace(mean, freedom=len(np.unique(scored.cluster)) - 1)


def prediction_powered_mean(scored: Scored, weight: float) -> Mean:
    """theta(lambda) for lambda = `weight`. At least one report is rated."""
    people = _mean(scored, scored.people, scored.rated)
    if weight == 0 or scored.rated.all():
        return people
    rated, others = _mean(scored, scored.judge, scored.rated), _mean(scored, scored.judge, ~scored.rated)
    gap = rated.minus(others)
    return Mean(people.value - weight * gap.value, people.errors - weight * gap.errors, people.freedom)


def plain_weight(scored: Scored) -> float:
    """The lambda of judge's mean over all + mean(people - judge) over the rated: the share of the others."""
    return float(scored.weights[~scored.rated].sum() / scored.weights.sum())


def tuned_weight(scored: Scored) -> float:
    """The lambda of least variance, from 0 to 1: the share of the others, times the slope of people on judge.

    With single reports of equal weight that is PPI++'s Cov(y, f) / (Var(f) (1 + n/N)), N the others. Var(f)
    is of the rated alone: pooled over all or taken from the others, it would be of few values where few
    are left.
    """
    people, judge = (_mean(scored, values, scored.rated) for values in (scored.people, scored.judge))
    spread = float((judge.errors**2).sum())
    if spread < FLAT:
        return 0.0
    slope = float(people.errors @ judge.errors) / spread
    return float(np.clip(plain_weight(scored) * slope, 0, 1))


def tuned_mean(scored: Scored) -> tuple[Mean, float]:
    weight = tuned_weight(scored)
    mean = prediction_powered_mean(scored, weight)
    return replace(mean, freedom=mean.freedom - 1), weight


def _mean(scored: Scored, values: Values, among: NDArray[np.bool_]) -> Mean:
    return clustered_mean(values[among], scored.weights[among], scored.cluster[among], scored.clusters)
