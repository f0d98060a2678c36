"""Paired estimates of how far frameworks differ, as typed data; the keys are public."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from analysis.result_model import Number, Result
from analysis.wire_result import DifferenceMetric, Interval

Decider = Literal["wilcoxon", "paired_t", "none"]
"""Which test says whether two frameworks differ: ranks; Student's t where with so few items ranks cannot say
anything of so many pairs; none below `analysis.estimates.family.FEWEST_ITEMS` items."""


class PairEstimate(Result):
    """Two frameworks of one arm, on the item means of the items that both completed: `a` less `b`."""

    a: str
    b: str
    arm: str | None
    n_items: int
    mean_difference: Number
    interval: Interval | None
    """95 %, of the mean difference (`analysis.mean_interval`); null below its fewest items."""
    bca_interval: Interval | None
    """The same by the BCa bootstrap over items; null below 30 items, where it holds too little, and for the
    pairs of very many frameworks."""
    hodges_lehmann: Number
    """Median of the means of all pairs of item differences, each with itself too."""
    hodges_lehmann_interval: Interval | None
    """At least 95 %, the signed-rank test turned round; null below six items, which cannot give 95 %.
    Both are null above 1,000 items."""
    rank_biserial: Number
    """Of matched pairs: (ranks above less ranks below) / all ranks; -1 to 1."""
    p_wilcoxon: Number
    """Signed-rank, two-sided; items without a difference are left out."""
    p_wilcoxon_holm: Number
    p_sign_flip: Number
    """Of the mean difference, over all ways to turn the signs (a sample of them above 15 items); null above
    200 items or 1,000 pairs."""
    p_t: Number
    p_t_holm: Number
    smallest_p: float
    """No data on so many items could give the signed-rank or the sign-flip test a smaller p."""
    shown: bool | None
    """Whether the deciding test, after Holm over the pairs of metric and arm, is below 0.05; null: none can
    decide."""
    better: str | None
    """Of a pair that is told apart."""
    p_equivalence: Number
    """TOST: the larger p of the two one-sided paired t tests against the margin."""
    p_equivalence_holm: Number
    equal_shown: bool | None
    """Whether they are shown to lie within the margin of each other: more than not being told apart."""
    exceeds_noise: bool | None


class Group(Result):
    """Frameworks of which no two are told apart, and to which no other could be added."""

    arm: str | None
    letter: str
    subjects: list[str]
    """Best mean first."""
    equal_shown: bool
    """Whether all of them are also shown equal."""


class Standing(Result):
    """How one framework does on one metric among those of its arm."""

    arm: str | None
    mean: Number
    """Of its item means, over the items that every compared framework of the arm completed."""
    letters: str
    """Of the groups it is in; empty where there are none."""
    unbeaten: bool
    """No other is shown better."""
    best_of_all: bool
    """Shown better than every other."""
    probability: Number
    """Share of the draws of items in which its mean is best, ties shared; null below the fewest items."""


class Family(Result):
    """The comparisons of one metric in one arm: one family for Holm's correction."""

    arm: str | None
    subjects: list[str]
    """Best mean first."""
    n_items: int
    """Most items that any pair shares."""
    complete_items: int
    """Items that all completed."""
    pairs: int
    decided_by: Decider
    reason: str | None
    """Why not by ranks; null where they decide."""
    smallest_p: float
    """That the signed-rank test can give with `n_items`."""
    smallest_p_holm: float
    """The same after Holm, for the smallest p of the family, and times the plan's looks."""
    margin: Number
    """Within it two frameworks are equal in practice; in the metric's unit."""
    margin_basis: str
    reference: str
    """What differences are drawn against: the floor where it ran, else the best mean."""
    sign_flips: Literal["exact", "sampled", "left_out"]
    noise: Number


class MetricEstimates(Result):
    """Families in the order of arms, the usual one first; pairs, groups and standings carry their arm."""

    metric: DifferenceMetric
    families: list[Family] = Field(default_factory=list)
    pairs: list[PairEstimate] = Field(default_factory=list)
    groups: list[Group] = Field(default_factory=list)
    best: dict[str, Standing] = Field(default_factory=dict)
    """By subject."""
