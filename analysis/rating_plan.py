"""How many ratings are still worth collecting: the interval to be had from more reports or more raters.

Per framework of N reports, n of them rated by k people each, the tuned mean has the variance

    (s2 + e2 / k) / n + b2 v / N

with v the variance of the judge's scores, b the slope of people on judge, s2 what is left of people's scores
about that line once rating noise is taken off, and e2 the variance of a single rating about its report's
score (double sampling with regression: Cochran, Sampling Techniques, 1977, section 12.6). All are pooled
within frameworks. A difference of two frameworks has twice that. Assumed: reports are independent,
frameworks alike. Reports on one item are not independent, so where differences have intervals already, all
widths are multiplied by what makes today's theirs: what items add is taken to stay in proportion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from analysis.clustered_mean import LEVEL
from analysis.people_result import PlanPoint, RatingPlan
from analysis.prediction_powered import FLAT
from analysis.wording import plural

FEWEST_PAIRS = 10
"""Rated reports in all. Variances from fewer say little."""
STEPS = (1.5, 2, 3, 5)
WORTH = 0.9
"""A wider interval than this share of today's is no gain worth naming."""


@dataclass(frozen=True)
class Spread:
    """Variances within frameworks, in points squared."""

    about_line: float
    """s2"""
    noise: float | None
    """e2; None: no report has two raters, and s2 holds the noise of `raters` raters."""
    judge: float
    """b2 v"""
    raters: float
    """Mean number per rated report."""
    design: float = 1.0
    """Width of today's intervals over that of the formula."""

    def variance(self, reports: int, rated: int, raters: float) -> float:
        left = self.about_line + (self.noise / raters if self.noise is not None else 0.0)
        return left / rated + self.judge / reports

    def half_width(self, reports: int, rated: int, raters: float) -> float:
        """Of a difference between two such frameworks."""
        freedom = max(1, rated - 2)
        quantile = float(stats.t.ppf((1 + LEVEL) / 2, freedom))
        return self.design * quantile * float(np.sqrt(2 * self.variance(reports, rated, raters)))


def measure_spread(pairs: pd.DataFrame, noise: float | None) -> Spread | str:
    """Or why not.

    Args:
        pairs: A row per framework and report with `subject`, `judge` (NaN: none), `people` (NaN: not rated)
            and `raters`.
        noise: Variance of a single rating about its report's score.
    """
    both = pairs.dropna(subset=["judge", "people"])
    groups = both["subject"].nunique()
    if len(both) < FEWEST_PAIRS:
        return f"{plural(len(both), 'rated report')}, {FEWEST_PAIRS} needed"
    freedom = len(both) - groups - 1
    if freedom < 2:
        return "too few rated reports per framework"
    x, y = (both[name] - both.groupby("subject")[name].transform("mean") for name in ("judge", "people"))
    spread = float((x**2).sum())
    slope = float((x * y).sum()) / spread if spread > FLAT else 0.0
    # PPI++ gives the judge no more than full weight and no less than none.
    slope = float(np.clip(slope, 0, 1))
    left = float(((y - slope * x) ** 2).sum()) / freedom
    known = pairs.dropna(subset=["judge"])
    all_x = known["judge"] - known.groupby("subject")["judge"].transform("mean")
    raters = float(both["raters"].mean())
    # The noise in a mean of k ratings is e2 / k, for each report its own k.
    average = 0.0 if noise is None else noise * float((1 / both["raters"]).mean())
    return Spread(
        about_line=max(0.0, left - average),
        noise=noise,
        judge=slope**2 * float((all_x**2).sum()) / max(1, len(known) - groups),
        raters=raters,
    )


def plan_ratings(pairs: pd.DataFrame, noise: float | None, today: float | None = None) -> RatingPlan | str:
    """Or why not; `pairs` and `noise` as for `measure_spread`.

    Args:
        pairs: Reports with their scores.
        noise: Of a single rating.
        today: Mean half width of the differences between frameworks; None: none has an interval.
    """
    spread = measure_spread(pairs, noise)
    if isinstance(spread, str):
        return spread
    known = pairs.dropna(subset=["judge"])
    frameworks = known["subject"].nunique()
    reports = max(1, round(len(known) / frameworks))
    rated = max(1, round(int(known["people"].notna().sum()) / frameworks))
    raters = max(1, round(spread.raters))
    formula = spread.half_width(reports, rated, raters)
    if today and formula > FLAT:
        spread = replace(spread, design=today / formula)
    return RatingPlan(
        reports=reports,
        rated=rated,
        raters=raters,
        half_width=spread.half_width(reports, rated, raters),
        design=spread.design,
        points=[
            PlanPoint(rated=n, raters=k, half_width=spread.half_width(reports, n, k))
            for k in ((raters, raters + 1) if spread.noise is not None else (raters,))
            for n in _counts(rated, reports)
        ],
        sentence=_sentence(spread, frameworks, reports, rated, raters),
    )


def _counts(rated: int, reports: int) -> list[int]:
    return sorted({rated, reports, *(n for step in STEPS if (n := round(step * rated)) < reports)})


def _sentence(spread: Spread, frameworks: int, reports: int, rated: int, raters: int) -> str:
    now = spread.half_width(reports, rated, raters)
    halved = next(
        (n for n in range(rated, reports + 1) if spread.half_width(reports, n, raters) <= now / 2), None
    )
    if halved is not None and halved > rated:
        more = (halved - rated) * frameworks
        first = (
            f"{plural(more, 'more rated report')} ({rated} to {halved} per framework) would halve the "
            f"interval of a difference between two frameworks, from ±{now:.2f} to "
            f"±{spread.half_width(reports, halved, raters):.2f} points."
        )
    else:
        first = _all_rated(spread, frameworks, reports, rated, raters)
    return f"{first} {_second_rater(spread, reports, rated, raters)}"


def _all_rated(spread: Spread, frameworks: int, reports: int, rated: int, raters: int) -> str:
    now, least = (spread.half_width(reports, n, raters) for n in (rated, reports))
    if rated >= reports:
        return f"Every report is rated (±{now:.2f} points): only more runs can tell more."
    more = (reports - rated) * frameworks
    verdict = (
        "that is hardly worth it; more runs would tell more"
        if least > WORTH * now
        else "below that only more runs help"
    )
    return (
        f"Rating all {plural(more, 'report')} that are left would narrow the interval of a difference "
        f"between two frameworks from ±{now:.2f} to ±{least:.2f} points; {verdict}."
    )


def _second_rater(spread: Spread, reports: int, rated: int, raters: int) -> str:
    if spread.noise is None:
        return "What another rater would add is not known: no report has two."
    now, then = (spread.half_width(reports, rated, k) for k in (raters, raters + 1))
    what = "would hardly help" if then > WORTH * now else "would narrow it"
    return f"One more rater for each rated report {what} (±{now:.2f} to ±{then:.2f})."
