"""Quality of each framework, the judge's mean corrected by the reports that people rated."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from analysis.clustered_mean import Mean
from analysis.people_result import Corrected, CorrectedDifference, Estimate, Scope
from analysis.prediction_powered import (
    Scored,
    judge_mean,
    plain_weight,
    prediction_powered_mean,
    tuned_mean,
)

FEWEST_RATED = 10
"""Rated reports of a framework. Below, intervals of tuned means hold less than they say (docs/people.md)."""
FEWEST_ITEMS = 5
PLAINLY = 0.001
"""p below which the choice of rated reports is called no random one."""


def score_reports(
    reports: pd.DataFrame, judge: pd.Series, people: pd.Series
) -> tuple[dict[str, Scored], Scope]:
    """By framework: reports with a score of the judge.

    Items are the clusters where enough of them have ratings; else single reports are, and what is said
    holds for these items.

    Args:
        reports: `people_records.Opinions.reports`.
        judge: Overall score by report.
        people: Likewise, of the rated.
    """
    table = reports.assign(
        judge=reports["report"].map(judge).astype(float), people=reports["report"].map(people).astype(float)
    ).dropna(subset=["judge"])
    items = table.loc[table["people"].notna(), "item"].nunique()
    scope: Scope = "items" if items >= FEWEST_ITEMS else "these_items"
    names, cluster = np.unique(table["item" if scope == "items" else "report"], return_inverse=True)
    found = {}
    for subject, rows in table.assign(cluster=cluster).groupby("subject", sort=True):
        found[str(subject)] = Scored(
            judge=rows["judge"].to_numpy(dtype=float),
            people=rows["people"].to_numpy(dtype=float),
            weights=rows["copies"].to_numpy(dtype=float),
            cluster=rows["cluster"].to_numpy(),
            clusters=len(names),
        )
    return found, scope


def correct(scored: Scored) -> tuple[Corrected, Mean | None]:
    """The figures of one framework, and the tuned mean for comparing; None where it is refused."""
    uncorrected = judge_mean(scored).estimate()
    rated = int(scored.rated.sum())
    counts = {"reports": len(scored.judge), "rated": rated, "judge": uncorrected}
    if reason := _refusal(scored):
        refused = Estimate(reason=reason)
        people = prediction_powered_mean(scored, 0).value if rated else None
        return Corrected(
            **counts,
            people=Estimate(value=people, reason=reason),
            corrected=refused,
            tuned=refused,
            weight=None,
        ), None
    tuned, weight = tuned_mean(scored)
    return Corrected(
        **counts,
        people=prediction_powered_mean(scored, 0).estimate(),
        corrected=prediction_powered_mean(scored, plain_weight(scored)).estimate(),
        tuned=tuned.estimate(),
        weight=weight,
    ), tuned


def _refusal(scored: Scored) -> str | None:
    rated = int(scored.rated.sum())
    if rated < FEWEST_RATED:
        return f"{rated} rated, {FEWEST_RATED} needed"
    if scored.rated_clusters() < FEWEST_ITEMS:
        return f"rated on {scored.rated_clusters()} items, {FEWEST_ITEMS} needed"
    return None


def compare_corrected(means: dict[str, Mean], uncorrected: dict[str, Corrected]) -> list[CorrectedDifference]:
    """Every pair; `means` without second names, which compete with nobody."""
    return [
        CorrectedDifference(
            a=a,
            b=b,
            judge=_difference(uncorrected[a].judge.value, uncorrected[b].judge.value),
            tuned=means[a].minus(means[b]).estimate(),
        )
        for a, b in combinations(sorted(means), 2)
    ]


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def plainly_chosen(reports: pd.DataFrame, judge: pd.Series, people: pd.Series) -> list[str]:
    """Why the rated reports are no random ones, in words; empty where nothing speaks against it."""
    table = reports.assign(
        judge=reports["report"].map(judge).astype(float), rated=reports["report"].isin(people.index)
    ).dropna(subset=["judge"])
    if table["rated"].all() or not table["rated"].any():
        return []
    found = [
        f"the share of rated reports differs between {words} more than chance allows (p = {p:.1g})"
        for column, words in (("subject", "frameworks"), ("item", "items"))
        if (p := _independence(table[column], table["rated"])) < PLAINLY
    ]
    off = table["judge"] - table.groupby("subject")["judge"].transform("mean")
    rated, others = off[table["rated"]], off[~table["rated"]]
    p = float(stats.mannwhitneyu(rated, others, alternative="two-sided").pvalue)
    if p < PLAINLY:
        which = "higher" if rated.mean() > others.mean() else "lower"
        found.append(f"the judge scored the rated reports {which} than the others (p = {p:.1g})")
    return found


def _independence(groups: pd.Series, rated: pd.Series) -> float:
    """Chi-squared, its p; 1 where there is one group."""
    counts = pd.crosstab(groups, rated)
    return float(stats.chi2_contingency(counts)[1]) if len(counts) > 1 else 1.0
