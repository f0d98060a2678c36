"""Detection: how often a damaged copy scores below its own report.

The area under the ROC curve of original against damaged scores, within each report and then averaged:
P(copy < report) + P(copy = report) / 2. Copies of one report share its score, so an interval that counted
each copy as evidence would be too narrow. Ours is Clopper and Pearson's with the number of reports as n:
exact for one copy a report without ties, and conservative else, since a mean of values between 0 and 1 varies
at most as a yes or no does. A bootstrap of a few reports that all agree would have no width at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from scipy import stats

from analysis.audit_result import Detection, Sight

GUESSING = 0.5
LEVEL = 0.95
ARITHMETIC = 1e-9
FEWEST_REPORTS = 6
"""With fewer, not even a copy that is seen in every report puts the interval above 0.5."""


def detect(drops: Mapping[str, Sequence[float]]) -> Detection:
    """`drops`: report -> score of the report less that of its copy, one for each copy."""
    by_report = {report: found for report, found in drops.items() if found}
    if not by_report:
        return Detection()
    auc = fmean(fmean(_seen(drop) for drop in found) for found in by_report.values())
    low, high = share_interval(auc, len(by_report))
    return Detection(
        auc=auc,
        low=low,
        high=high,
        reports=len(by_report),
        copies=sum(map(len, by_report.values())),
        mean_drop=fmean(fmean(found) for found in by_report.values()),
        verdict=_sight(low, len(by_report)),
    )


def _sight(low: float, reports: int) -> Sight:
    if reports < FEWEST_REPORTS:
        return "too_few"
    return "tells" if low > GUESSING else "cannot_tell"


def share_interval(share: float, n: int) -> tuple[float, float]:
    """Clopper and Pearson's, for a share of n that need not be a whole number of them."""
    tail = (1 - LEVEL) / 2
    seen = share * n
    low = float(stats.beta.ppf(tail, seen, n - seen + 1)) if seen > ARITHMETIC else 0.0
    high = float(stats.beta.ppf(1 - tail, seen + 1, n - seen)) if n - seen > ARITHMETIC else 1.0
    return low, high


def _seen(drop: float) -> float:
    return 1.0 if drop > 0 else 0.5 if drop == 0 else 0.0
