"""What people's ratings tell, as typed data: part of `analysis.result.Analysis`.

Raters have numbers here, in the order of their first ratings; their names stay in the experiment's folder.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from analysis.result_model import Number, Result

OVERALL = "overall"
"""Stands beside the criteria: the plain mean of a rating's criteria."""
Treatment = Literal["mean", "leniency_removed"]
Scope = Literal["items", "these_items"]


class Estimate(Result):
    """A figure with its 95 % interval; where either cannot be computed, `reason` says why."""

    value: Number = None
    low: Number = None
    high: Number = None
    reason: str | None = None

    @property
    def half_width(self) -> float | None:
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


class Rater(Result):
    reports: int
    """Distinct reports."""
    mean: Number
    """Of overall."""
    leniency: Number
    """By how much the rater's overall scores lie above those of the other raters on the same reports."""
    repeats: int
    """Reports that were shown again."""
    repeat_difference: Number
    """Mean absolute difference of the criterion scores of both showings."""
    repeat_correlation: Number
    """Pearson's, of the overall scores of both showings; null below `FEWEST_REPEATS`."""
    inconsistent: bool
    median_seconds: Number
    """On the screen, per report."""


class Agreement(Result):
    """Among raters, on one criterion."""

    reports: int
    """Rated by two raters or more."""
    alpha: Estimate
    """Krippendorff's, scores as an interval scale; bootstrap over reports."""
    noise_sd: Number
    """Standard deviation of a single rating about the report's score, leniency taken off."""


class CalibrationStep(Result):
    """Reports to which a judge gave one score."""

    judge: int
    """Rounded where the judge's score is a mean."""
    n: int
    people: float
    """Mean of people's scores."""


class Calibration(Result):
    """A judge's scores of one criterion against people's."""

    n: int
    """Reports that both scored."""
    rank_correlation: Estimate
    """Spearman's; bootstrap over items (`JudgeAgainstPeople.scope`)."""
    bias: Estimate
    """Mean of judge less people; interval by the same clusters."""
    slope: Number
    """Of people on judge, least squares: 1 where a point of the judge is a point of people."""
    intercept: Number
    steps: list[CalibrationStep]


class Corrected(Result):
    """Mean overall score of one framework, three ways."""

    reports: int
    """Distinct reports with a score of the judge."""
    rated: int
    """Those that people scored too."""
    judge: Estimate
    """Uncorrected: the judge's mean over all reports."""
    people: Estimate
    """People's mean over the rated reports."""
    corrected: Estimate
    """The judge's mean over all plus the mean of people less judge over the rated."""
    tuned: Estimate
    """The same with the judge weighed by `weight`."""
    weight: Number
    """Lambda of PPI++, from 0 (people alone count) to 1."""


class CorrectedDifference(Result):
    """Mean of `a` less mean of `b`, both tuned."""

    a: str
    b: str
    judge: Number
    """Uncorrected."""
    tuned: Estimate


class PlanPoint(Result):
    """How wide an interval would be, were more reports rated."""

    rated: int
    """Reports per framework."""
    raters: int
    """Per report."""
    half_width: float
    """Of the 95 % interval of a difference between two frameworks."""


class RatingPlan(Result):
    reports: int
    """Per framework, rounded mean."""
    rated: int
    raters: int
    half_width: Number
    """Now: mean of the differences that have an interval; by the formula alone where none has."""
    design: float
    """That over the formula's width; the points are multiplied by it."""
    points: list[PlanPoint]
    sentence: str


class JudgeAgainstPeople(Result):
    scope: Scope
    """items: items are the clusters, so intervals hold for other items too; these_items: reports are, because
    too few items have ratings."""
    criteria: dict[str, Calibration]
    """`OVERALL` among them."""
    frameworks: dict[str, Corrected]
    differences: list[CorrectedDifference]
    plan: RatingPlan | None = None
    plan_reason: str | None = None
    chosen: list[str] = Field(default_factory=list)
    """Why the rated reports are plainly no random ones, in words."""


class Preferred(Result):
    """One framework in people's preferences between two reports on the same item."""

    pairs: int
    wins: int
    ties: int
    share: Number
    """Of its pairs, ties counting one half."""


class PairAgreement(Result):
    """A judge's comparisons beside people's preferences on the same pairs."""

    pairs: int
    """Both have an opinion on."""
    decided: int
    """Neither says tie."""
    agree: int
    share: Estimate
    """Of the decided pairs; Wilson's interval."""


class People(Result):
    ratings: int
    """That count."""
    ignored: dict[str, int]
    """Reason -> ratings and preferences that do not."""
    reports_rated: int
    """Distinct."""
    criteria: list[str]
    raters: dict[str, Rater]
    agreement: dict[str, Agreement]
    """Criterion (and `OVERALL`) -> agreement among raters."""
    treatment: Treatment
    """How the ratings of one report became people's score of it."""
    treatment_reason: str
    judges: dict[str, JudgeAgainstPeople]
    preferences: dict[str, Preferred]
    comparisons: dict[str, PairAgreement]
    """By judge."""
    problem: str | None = None
    """Why nothing could be read."""
