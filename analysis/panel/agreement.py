"""How far judges agree: Krippendorff's alpha per criterion, and each pair's rank correlation."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from analysis.krippendorff import Level, krippendorff_alpha
from analysis.panel.estimate import estimate_over_items
from analysis.panel.read_verdicts import Verdicts
from analysis.panel.result import Agreement, Estimate, JudgePair

FEWEST_TEXTS = 3
"""With two texts any two judges agree fully or not at all."""
MOST_JUDGES = 8
"""Pairs of more are in no table that anybody reads; alpha is over all."""


def measure_agreement(verdicts: Verdicts) -> dict[str, Agreement]:
    """By criterion, and "overall" first; empty with one judge."""
    if verdicts.own["judge"].nunique() < 2:
        return {}
    return {name: agreement_on(verdicts.by_text(name)) for name in ("overall", *verdicts.criteria)}


def compare_judges(verdicts: Verdicts) -> list[JudgePair]:
    scores = verdicts.by_text("overall")
    judges = [judge for judge in verdicts.judges if judge in scores][:MOST_JUDGES]
    return [_pair(scores, a, b) for a, b in combinations(judges, 2)]


def agreement_on(scores: pd.DataFrame) -> Agreement:
    """`scores`: a row per (item, text), a column per judge."""
    shared = scores[scores.notna().sum(axis=1) >= 2]
    return Agreement(
        texts=len(shared),
        alpha_interval=_alpha(shared, "interval"),
        alpha_ordinal=_alpha(shared, "ordinal"),
    )


def _alpha(shared: pd.DataFrame, level: Level) -> Estimate:
    if reason := _too_few(len(shared)):
        return Estimate(reason=reason)
    values = shared.to_numpy(dtype=float)
    value = krippendorff_alpha(values, level)
    if not np.isfinite(value):
        return Estimate(reason="all scores are equal, so there is nothing to agree on")
    if level == "ordinal":
        return Estimate(value=value)
    return estimate_over_items(
        shared.index.get_level_values("item"), value, lambda rows: krippendorff_alpha(values[rows])
    )


def _pair(scores: pd.DataFrame, a: str, b: str) -> JudgePair:
    shared = scores[[a, b]].dropna()
    x, y = shared[a].to_numpy(dtype=float), shared[b].to_numpy(dtype=float)
    return JudgePair(
        a=a,
        b=b,
        texts=len(shared),
        kendall_tau=_tau(shared, x, y),
        mean_difference=(x - y).mean() if len(shared) else None,
    )


def _tau(shared: pd.DataFrame, x: np.ndarray, y: np.ndarray) -> Estimate:
    if reason := _too_few(len(shared)):
        return Estimate(reason=reason)
    for judge, given in zip(shared.columns, (x, y), strict=True):
        if np.ptp(given) == 0:
            return Estimate(reason=f"{judge} gives all these texts one score")
    return estimate_over_items(
        shared.index.get_level_values("item"), _tau_of(x, y), lambda rows: _tau_of(x[rows], y[rows])
    )


def _tau_of(x: np.ndarray, y: np.ndarray) -> float:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(stats.kendalltau(x, y).statistic)


def _too_few(texts: int) -> str | None:
    return f"{texts} texts with scores of two judges are too few" if texts < FEWEST_TEXTS else None
