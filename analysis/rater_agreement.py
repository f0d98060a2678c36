"""How far raters agree: with one another, with themselves, and how lenient each is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from analysis.clustered_mean import Values
from analysis.clustered_resamples import cluster_draws, percentile_estimate
from analysis.krippendorff import resampled_alpha
from analysis.people_records import Opinions
from analysis.people_result import OVERALL, Agreement, Estimate, Rater, Treatment

FEWEST_SHARED = 5
"""Reports that a rater must share with others before his leniency is taken off: from fewer, what is taken
off would be mostly noise."""
FEWEST_REPEATS = 3
INCONSISTENT_POINTS = 2.0
"""The rubric's anchors stand 2 or 3 points apart: whoever is 2 points off on average names another anchor."""


@dataclass(frozen=True)
class Consensus:
    """People's score of each report."""

    scores: pd.DataFrame
    """Reports x criteria and OVERALL, and `raters`: how many."""
    treatment: Treatment
    reason: str
    noise_variance: dict[str, float | None]
    """Of a single rating about its report's score, leniency taken off; None when no report has two."""


def first_showings(opinions: Opinions) -> pd.DataFrame:
    return opinions.ratings[opinions.ratings["showing"] == 1]


def rating_table(first: pd.DataFrame, column: str) -> pd.DataFrame:
    """Reports x raters, NaN where a rater did not rate."""
    return first.pivot_table(index="report", columns="rater", values=column).astype(float)


def agree(opinions: Opinions) -> Consensus:
    first = first_showings(opinions)
    treatment, reason = _treatment(rating_table(first, OVERALL).to_numpy())
    scores, noise = {}, {}
    for column in (*opinions.criteria, OVERALL):
        table = rating_table(first, column)
        values = table.to_numpy()
        effects = leniencies(values)
        off = np.where(np.isfinite(effects), effects, 0.0) if treatment == "leniency_removed" else 0.0
        scores[column] = pd.Series(_row_means(values - off), index=table.index)
        noise[column] = noise_variance(values, effects)
    people = pd.DataFrame(scores)
    people["raters"] = first.groupby("report").size()
    return Consensus(people, treatment, reason, noise)


def _treatment(values: Values) -> tuple[Treatment, str]:
    given = np.isfinite(values)
    if values.shape[1] < 2:
        return "mean", "one rater: a report's score is his"
    if given.all():
        return "mean", "every rater rated every report, so leniency touches all alike"
    shared = given & (given.sum(axis=1, keepdims=True) > 1)
    fewest = int(shared.sum(axis=0).min())
    if fewest < FEWEST_SHARED or not _connected(given):
        return "mean", (
            f"a rater shares {fewest} reports with others, or raters fall into groups without a report in "
            f"common; leniency is taken off from {FEWEST_SHARED} shared reports on"
        )
    return "leniency_removed", f"every rater shares at least {fewest} reports with others"


def _connected(given: NDArray[np.bool_]) -> bool:
    together = given.T.astype(int) @ given.astype(int)
    return int(connected_components(together, directed=False)[0]) == 1


def leniencies(values: Values) -> Values:
    """Each rater's effect in the additive model score = report + rater, least squares, mean zero.

    NaN for all when raters fall into groups that share no report. The report effects are eliminated, which
    leaves the Laplacian of the graph of raters (Searle, Linear Models, 1971, section 7.1).
    """
    given = np.isfinite(values)
    if values.shape[1] < 2 or not _connected(given):
        return np.full(values.shape[1], np.nan)
    several = given.sum(axis=1, keepdims=True)
    laplacian = np.diag(given.sum(axis=0)) - given.T @ (given / several)
    off = np.where(given, values - _row_means(values)[:, None], 0.0).sum(axis=0)
    effects: Values = np.linalg.pinv(laplacian) @ off
    return effects


def noise_variance(values: Values, effects: Values) -> float | None:
    """Residual variance of the additive model; about the reports' means where leniency is not known."""
    known = np.isfinite(effects).all()
    values = values - effects if known else values
    given = np.isfinite(values)
    freedom = int(given.sum()) - len(values) - (values.shape[1] - 1 if known else 0)
    if freedom < 1:
        return None
    left = np.where(given, values - _row_means(values)[:, None], 0.0)
    return float((left**2).sum() / freedom)


def _row_means(values: Values) -> Values:
    given = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        means: Values = np.where(given, values, 0.0).sum(axis=1) / given.sum(axis=1)
    return means


def among_raters(opinions: Opinions, consensus: Consensus) -> dict[str, Agreement]:
    first = first_showings(opinions)
    found = {}
    for column in (*opinions.criteria, OVERALL):
        values = rating_table(first, column).to_numpy()
        pairable = values[np.isfinite(values).sum(axis=1) > 1]
        noise = consensus.noise_variance[column]
        found[column] = Agreement(
            reports=len(pairable),
            alpha=_alpha_estimate(pairable),
            noise_sd=None if noise is None else noise**0.5,
        )
    return found


def _alpha_estimate(pairable: Values) -> Estimate:
    if not len(pairable):
        return Estimate(reason="no report has two raters")
    value = float(resampled_alpha(pairable, np.ones((1, len(pairable))))[0])
    if not np.isfinite(value):
        return Estimate(reason="all scores are equal")
    draws = cluster_draws(np.arange(len(pairable)))
    again = None if draws is None else resampled_alpha(pairable, draws)
    return percentile_estimate(value, again, len(pairable))


def describe_raters(opinions: Opinions) -> dict[str, Rater]:
    first = first_showings(opinions)
    if first.empty:
        return {}
    table = rating_table(first, OVERALL)
    lenient = dict(zip(table.columns, _lenient(table.to_numpy()), strict=True))
    return {
        str(rater): _rater(opinions, str(rater), float(lenient[rater]))
        for rater in sorted(table.columns, key=lambda rater: int(str(rater).rsplit(" ", 1)[-1]))
    }


def _lenient(values: Values) -> Values:
    """Effects are about the mean of all raters; against the others alone they are n / (n - 1) larger."""
    n = values.shape[1]
    against_others: Values = leniencies(values) * n / max(1, n - 1)
    return against_others


def _rater(opinions: Opinions, rater: str, leniency: float) -> Rater:
    mine = opinions.ratings[opinions.ratings["rater"] == rater]
    first = mine[mine["showing"] == 1].set_index("report")
    again = mine[mine["showing"] == 2].set_index("report")
    both = first.index.intersection(again.index)
    apart = (first.loc[both, opinions.criteria] - again.loc[both, opinions.criteria]).abs()
    difference = float(np.nanmean(apart.to_numpy())) if apart.notna().to_numpy().any() else None
    return Rater(
        reports=len(first),
        mean=first[OVERALL].mean(),
        leniency=leniency,
        repeats=len(both),
        repeat_difference=difference,
        repeat_correlation=_correlation(first.loc[both, OVERALL], again.loc[both, OVERALL]),
        inconsistent=len(both) >= FEWEST_REPEATS
        and difference is not None
        and difference >= INCONSISTENT_POINTS,
        median_seconds=mine["seconds"].median(),
    )


def _correlation(x: pd.Series, y: pd.Series) -> float | None:
    if len(x) < FEWEST_REPEATS or x.nunique() < 2 or y.nunique() < 2:
        return None
    return float(np.corrcoef(x.to_numpy(dtype=float), y.to_numpy(dtype=float))[0, 1])
