"""What judges say together, as typed data: `Analysis.panel`. Keys are public."""

from __future__ import annotations

from pydantic import Field

from analysis.panel.noise_result import JudgeNoise
from analysis.result_model import Number, Result
from analysis.variance.result import VarianceBudget
from analysis.wire_result import Interval


class Estimate(Result):
    """A figure with its interval; where there is none, `reason` says why."""

    value: Number = None
    interval: Interval | None = None
    reason: str | None = None


class JudgingCost(Result):
    """Of one judge's own answers, those that could not be used included. In no run's tokens or seconds."""

    verdicts: int = 0
    comparisons: int = 0
    attempts: int = 0
    prompt_tokens: int | None = None
    """None: the model server counted none of them."""
    completion_tokens: int | None = None
    seconds: float = 0.0
    """Sum over attempts; several may have been under way at once."""


class PanelJudge(Result):
    judge: str
    family: str | None
    """See `analysis.panel.families`; None: not known."""
    rubrics: list[str]
    verdicts: int
    """Its own, usable: those taken over from an identical text are not counted."""
    failed: int
    """Answers that never could be used: no scores."""
    texts: int
    mean: Number
    std: Number
    """Between texts, of their mean overall score."""
    noise: JudgeNoise
    cost: JudgingCost
    audited: bool
    left_out: str | None = None
    """Why it has no part in the panel's score; None: it has."""


class Agreement(Result):
    """Over texts that at least two judges scored; repeats of a judge are averaged."""

    texts: int
    alpha_interval: Estimate
    """Krippendorff's alpha on the scores' distances."""
    alpha_ordinal: Estimate
    """The same on their order, without an interval: the other one shows how sure it is."""


class JudgePair(Result):
    a: str
    b: str
    texts: int
    kendall_tau: Estimate
    """Kendall's tau-b of their overall scores."""
    mean_difference: Number
    """Mean of `a` less mean of `b` on the same texts."""


class PanelScore(Result):
    """One framework. Each run counts with its text's mean score over the judge's repeats."""

    framework: str
    runs: int
    by_judge: dict[str, Number]
    panel: Estimate
    """Mean over judges, each one's location and spread removed."""


class SelfPreference(Result):
    """Judges of the subject's own family less the others, on the texts that both scored."""

    subject_family: str | None = None
    own: list[str] = Field(default_factory=list)
    others: list[str] = Field(default_factory=list)
    texts: int = 0
    difference: Estimate


class Strength(Result):
    framework: str
    strength: Estimate
    """Log-odds, the mean of all being 0."""
    points: Number
    """Share of its comparisons won, a tie counting half."""
    comparisons: int


class Tournament(Result):
    """Bradley-Terry from one judge's comparisons; `judge` is empty for all judges together."""

    judge: str
    comparisons: int
    """Answers that could be used."""
    failed: int
    ties: int
    items: int
    strengths: list[Strength]
    """Highest first; empty where `reason` says why."""
    reason: str | None = None
    first_wins: Estimate
    """Share of the decided comparisons that the report shown first won; 0.5 where order has no effect."""
    order_effect: Number = None
    """In log-odds; null without strengths."""
    same_in_both_orders: Number = None
    """Share of pairs asked both ways whose two answers agree."""
    asked_both_ways: int = 0


class JudgeSays(Result):
    judge: str
    overall: list[float]
    """One per repeat."""
    scores: dict[str, float]
    """Criterion -> mean over repeats."""
    reasoning: list[str]
    """The model's own words, cut: untrusted text."""


class Disagreement(Result):
    frameworks: list[str]
    """All that wrote this text."""
    item: str
    spread: float
    """Largest less smallest score: of the judges, leniency removed where it could be, or of repeats."""
    says: list[JudgeSays]
    excerpt: str = ""
    """The report's beginning: untrusted text."""


class Panel(Result):
    main: str
    """The judge whose scores are the report's quality."""
    judges: list[PanelJudge]
    criteria: list[str]
    agreement: dict[str, Agreement] = Field(default_factory=dict)
    """By criterion, and "overall"; empty with one judge."""
    agreement_adjusted: Agreement | None = None
    """On the overall scores with leniency and spread removed; null where they could not be."""
    pairs: list[JudgePair] = Field(default_factory=list)
    adjustment: str
    """What was done to the scores before they were averaged, or why nothing could be."""
    scores: list[PanelScore] = Field(default_factory=list)
    self_preference: SelfPreference
    tournaments: list[Tournament] = Field(default_factory=list)
    budget: VarianceBudget
    disagreements: list[Disagreement] = Field(default_factory=list)
    not_audited: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
