"""How large a difference may be and still make no difference in practice."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.wire_result import DifferenceMetric


@dataclass(frozen=True)
class Margin:
    """Either in the metric's own unit, or a share of the typical framework's mean of `of`."""

    basis: str
    absolute: float | None = None
    share: float | None = None
    of: DifferenceMetric | None = None


QUALITY_POINTS = 0.5
"""Half a step of the scale of a criterion: a judge that repeats itself is seldom nearer to itself."""
COST_SHARE = 0.05
"""A saving that nobody would change frameworks for; machines and models vary by more from day to day."""
OWN_TIME_SHARE = 0.01
"""Of the latency: what a framework takes for itself is felt only as part of the wait."""

MARGINS: dict[DifferenceMetric, Margin] = {
    "quality": Margin(f"{QUALITY_POINTS:g} points", absolute=QUALITY_POINTS),
    "latency_s": Margin(
        f"{COST_SHARE:.0%} of the median framework's mean latency", share=COST_SHARE, of="latency_s"
    ),
    "framework_s": Margin(
        f"{OWN_TIME_SHARE:.0%} of the median framework's mean latency", share=OWN_TIME_SHARE, of="latency_s"
    ),
    "tokens": Margin(
        f"{COST_SHARE:.0%} of the median framework's mean tokens", share=COST_SHARE, of="tokens"
    ),
}

STEP: dict[DifferenceMetric, float] = {
    "quality": 0.2, "latency_s": 0.001, "framework_s": 0.001, "tokens": 1.0
}  # fmt: skip
"""In which a run's value comes: the mean of five whole scores, a millisecond, a token. Scores weighed by a
judge's probabilities come in finer ones; for these it is too careful."""


def margin_of(metric: DifferenceMetric, medians: dict[DifferenceMetric, float]) -> float | None:
    """`medians`: over the frameworks of the arm, of their means. None where the median is not known."""
    margin = MARGINS[metric]
    if margin.share is None or margin.of is None:
        return margin.absolute
    typical = medians.get(margin.of)
    return margin.share * typical if typical else None
