"""A judge's scores against people's, criterion by criterion: is their order the same, is the judge off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.clustered_mean import Values, clustered_mean
from analysis.clustered_resamples import (
    FEWEST_CLUSTERS,
    TOO_FEW,
    cluster_draws,
    percentile_estimate,
    spearman,
)
from analysis.people_result import Calibration, CalibrationStep, Estimate

FEWEST_REPORTS = 3
"""Of a rank correlation: with two it is 1 or -1 whatever they are."""


def calibrate(judge: pd.Series, people: pd.Series, clusters: pd.Series) -> Calibration:
    """Each by report; only reports that both scored are used.

    Args:
        judge: The judge's scores of one criterion.
        people: People's.
        clusters: What is resampled as a whole, e.g. the report's item.
    """
    both = pd.concat({"judge": judge, "people": people}, axis=1, join="inner").dropna().sort_index()
    x, y = both["judge"].to_numpy(dtype=float), both["people"].to_numpy(dtype=float)
    if not len(x):
        nothing = Estimate(reason="no report was scored by both")
        return Calibration(n=0, rank_correlation=nothing, bias=nothing, slope=None, intercept=None, steps=[])
    groups = clusters.loc[both.index].to_numpy()
    slope, intercept = _line(x, y)
    return Calibration(
        n=len(x),
        rank_correlation=_rank_correlation(x, y, groups),
        bias=_bias(x - y, groups),
        slope=slope,
        intercept=intercept,
        steps=_steps(x, y),
    )


def _rank_correlation(x: Values, y: Values, groups: NDArray[Any]) -> Estimate:
    if len(x) < FEWEST_REPORTS:
        return Estimate(reason=f"fewer than {FEWEST_REPORTS} reports")
    value = float(spearman(x, y, np.ones((1, len(x))))[0])
    if not np.isfinite(value):
        who = "the judge" if len(np.unique(x)) == 1 else "people"
        return Estimate(reason=f"{who} gave every report the same score")
    draws = cluster_draws(groups)
    again = None if draws is None else spearman(x, y, draws)
    return percentile_estimate(value, again, len(np.unique(groups)))


def _bias(apart: Values, groups: NDArray[Any]) -> Estimate:
    """Not by bootstrap: of few clusters its percentiles hold too little (docs/people.md)."""
    names, cluster = np.unique(groups, return_inverse=True)
    mean = clustered_mean(apart, np.ones(len(apart)), cluster, len(names))
    return mean.estimate() if len(names) >= FEWEST_CLUSTERS else Estimate(value=mean.value, reason=TOO_FEW)


def _line(x: Values, y: Values) -> tuple[float | None, float | None]:
    off = x - x.mean()
    if not (off**2).sum() > 1e-9:
        return None, None
    slope = float(off @ y / (off**2).sum())
    return slope, float(y.mean() - slope * x.mean())


def _steps(x: Values, y: Values) -> list[CalibrationStep]:
    # Half up: numpy rounds halves to even, which would make uneven steps.
    rounded = np.floor(x + 0.5).astype(int)
    return [
        CalibrationStep(
            judge=int(step), n=int((rounded == step).sum()), people=float(y[rounded == step].mean())
        )
        for step in np.unique(rounded)
    ]
