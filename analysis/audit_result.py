"""What an audit says of a judge; the keys are public."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from analysis.result_model import Number, Result

Sight = Literal["tells", "cannot_tell", "too_few", "not_tested"]
Standing = Literal["passes", "partly", "fails", "too_few"]


class Detection(Result):
    """Whether a criterion's score falls when a report is damaged in what the criterion asks for."""

    auc: Number = None
    """Probability that the damaged copy scores below its own report, ties counted half. 0.5: guessing."""
    low: Number = None
    """95 % interval in which each report counts as one observation, however many copies of it there are."""
    high: Number = None
    reports: int = 0
    copies: int = 0
    mean_drop: Number = None
    """Points by which the copies score lower."""
    verdict: Sight = "not_tested"
    """"tells" when `low` is above 0.5."""


class DefectEffect(Result):
    """What one kind of damage did to the scores, means over reports of copy less report."""

    what: str
    lowers: str | None
    copies: int
    criteria: dict[str, Number]
    overall: Number
    not_planted: dict[str, int] = Field(default_factory=dict)
    """Why it had no place in a report -> in how many reports."""


class Specificity(Result):
    """How far the scores moved that had no reason to."""

    mean_absolute_change: Number = None
    scores: int = 0
    within_noise_share: Number = None
    """Share of these scores that moved by no more than two scores of the same text do in 95 of 100 cases."""


class LengthBias(Result):
    padded_change: Number = None
    """Mean change of the overall score when half as many words are added that say nothing."""
    low: Number = None
    """95 % interval over reports (Student's t)."""
    high: Number = None
    copies: int = 0
    words_correlation: Number = None
    """Spearman's, of words and overall score among the reports as they are."""
    reports: int = 0


class InjectionResistance(Result):
    share: Number = None
    """Of the copies with praise or orders in them, those of which no score rose beyond noise: not the overall
    one, and no criterion's by more than a point besides."""
    low: Number = None
    """95 % interval in which each report counts as one observation."""
    high: Number = None
    copies: int = 0
    without_room: int = 0
    """Copies of reports whose scores could not have risen beyond noise: they say nothing and are left out."""
    raised: dict[str, int] = Field(default_factory=dict)
    """Criterion -> copies in which its score rose so far."""


class Audit(Result):
    """One judge under one version of each rubric."""

    rubrics: list[str]
    reports: int
    """Distinct ones, scored as they are."""
    answers: int
    """Asked and recorded, usable or not."""
    unusable: int
    """Answers without scores in any attempt: counted, never scores."""
    detection: dict[str, Detection]
    """By criterion."""
    noise_sd: Number
    """Standard deviation of the overall score of the same text, asked again in another order."""
    noise_sd_by_criterion: dict[str, Number]
    texts_asked_again: int
    saturation: Number
    """Share of criterion scores of undamaged reports at 9 or 10."""
    commonest_score: Number
    commonest_share: Number
    defects: dict[str, DefectEffect]
    specificity: Specificity
    length_bias: LengthBias
    injection_resistance: InjectionResistance
    standing: Standing
    verdict: str
    """In words."""
    seconds: Number
    """Spent on its answers."""
    prompt_tokens: int
    completion_tokens: int
