"""What a judge does with texts it has seen before, and how much of its scale it uses."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
import pandas as pd

from analysis.compare import RANK_DECIMALS
from analysis.panel.noise_result import JudgeNoise

TOP_SCORES = 9
"""Scores from here up crowd at the ceiling of a scale that ends at 10."""


def measure_judge(own: pd.DataFrame, criteria: Sequence[str]) -> JudgeNoise:
    """Of one judge's usable verdicts, without copies: a verdict taken over is no second opinion.

    Args:
        own: Columns item, text, overall and the criteria.
        criteria: Which columns are criteria.
    """
    by_text = own.groupby(["item", "text"])["overall"]
    again = by_text.agg(["size", "min", "max"]).query("size > 1")
    component, squares = within_text_shares(own)
    scores = own[list(criteria)].to_numpy(dtype=float).ravel()
    scores = scores[np.isfinite(scores)]
    values, counts = np.unique(scores, return_counts=True)
    apart = (own["overall"] - by_text.transform("mean")).to_numpy()
    return JudgeNoise(
        texts_judged_again=len(again),
        largest_range=(again["max"] - again["min"]).max() if len(again) else None,
        within_text_share=component,
        within_text_share_of_squares=squares,
        top_share=(scores >= TOP_SCORES).mean() if len(scores) else None,
        commonest_score=values[counts.argmax()] if len(scores) else None,
        commonest_share=counts.max() / len(scores) if len(scores) else None,
        within_text_sd=sqrt((apart**2).sum() / (len(own) - by_text.ngroups)) if len(again) else None,
    )


def within_text_shares(judged: pd.DataFrame) -> tuple[float | None, float | None]:
    """Share of the variance of scores within identical texts: (variance component, sum of squares).

    One-way random effects, unequal group sizes: the between-text component is (F - 1) MS_within / n0, with
    n0 = (N - sum n_i^2 / N) / (k - 1) (Searle, Casella, McCulloch: Variance Components, 1992, section 3.6).
    """
    scores = judged["overall"].round(RANK_DECIMALS)
    by_text = scores.groupby([judged["item"], judged["text"]])
    sizes = by_text.count().to_numpy()
    total, k = int(sizes.sum()), len(sizes)
    if k < 2 or total <= k or scores.nunique() < 2:
        return None, None
    within = float(((scores - by_text.transform("mean")) ** 2).sum())
    all_squares = float(((scores - scores.mean()) ** 2).sum())
    squares = within / all_squares
    if within == 0:
        return 0.0, 0.0
    # One-way analysis of variance in sums, because a million texts are a million groups.
    f = ((all_squares - within) / (k - 1)) / (within / (total - k))
    n0 = (total - (sizes**2).sum() / total) / (k - 1)
    return min(1.0, float(1 / (1 + max(0.0, f - 1) / n0))), squares
