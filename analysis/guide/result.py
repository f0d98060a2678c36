"""The decision guide as typed data: a part of `analysis.result.Analysis`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from analysis.result_model import Number, Result
from shared.maturity import FrameworkFacts

MetricName = Literal[
    "quality",
    "latency_s",
    "framework_s",
    "tokens",
    "new_texts",
    "tries",
    "start_s",
    "installed_mb",
    "dependencies",
]
PriorityName = Literal[
    "fast_prototype",
    "stability",
    "raw_speed",
    "ecosystem",
    "token_cost",
    "consistent_output",
    "quality",
    "own_weights",
]
Certainty = Literal[
    "shown",
    "by_facts",
    "no_difference_shown",
    "too_few_items",
    "one_framework",
    "not_measured",
]
"""shown: by the paired test, the noise floor and the resamples. by_facts: no run tells the candidates apart,
but stated facts leave one. not_measured: nothing that was recorded or gathered says it."""


class Evidence(Result):
    """One metric of a priority, in its own unit."""

    metric: MetricName
    title: str
    unit: str
    digits: int
    weight: float
    values: dict[str, Number]
    """Framework -> mean over the items that were used of its item means."""
    floor: Number = None
    """The same without any framework, for comparison; it is nothing to choose."""


class Margin(Result):
    """The leader beside the rival that comes closest: geometric mean over items of the ratio of scores."""

    leader: str
    """Who has the best mean score."""
    rival: str
    ratio: float
    """How many times the leader's score the rival's is; above 1, since lower is better."""
    low: float
    """With `high`: 95 %, Student's t over items, of the ratio."""
    high: float
    noise: Number = None
    """The ratio that a framework has to itself, by the mean over the items of the A/A pairs."""


class Priority(Result):
    name: PriorityName
    title: str
    asks: str
    """What it is taken to mean, in words."""
    choice: str | None = None
    candidates: list[str] = Field(default_factory=list)
    """Those not shown to be worse than the leader, most probable first."""
    certainty: Certainty
    says: str
    """The finding in a sentence."""
    probability_best: dict[str, float] = Field(default_factory=dict)
    """Share of the resamples of items in which each is best, ties shared; empty below five items."""
    margin: Margin | None = None
    n_items: int = 0
    evidence: list[Evidence] = Field(default_factory=list)
    left_out: dict[str, str] = Field(default_factory=dict)
    """Framework -> why it does not take part."""


class MaturityFacts(Result):
    """`maturity.json` as far as it is about what was measured."""

    gathered_at: str | None = None
    index: Literal["asked", "not_asked", "not_reachable"] | None = None
    frameworks: dict[str, FrameworkFacts] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)


class Weighable(Result):
    """A metric that the reader can weigh."""

    metric: MetricName
    title: str
    weight: int
    """Where its slider stands at first."""


class Weighing(Result):
    """All that the page needs to work out probabilities for any weights, in whole numbers.

    A score is the sum over metrics of weight times log; the lowest is best.
    """

    frameworks: list[str]
    items: list[str]
    metrics: list[Weighable]
    logs: list[list[list[int]]]
    """Item x metric x framework: 10,000 times the natural logarithm of the value, negative for quality."""
    draws: list[list[int]]
    """Resample x item: how often the item is in it."""
    twins: list[list[int | None]]
    """Item of an A/A pair x metric: difference of the two logs; null where one is not known."""
    critical_t: list[float]
    """Of the paired tests: what the largest t must exceed, the second, and so on (two-sided, 5 %, Holm)."""


class Guide(Result):
    arm: str | None = None
    """In which frameworks compete; null when runs name none."""
    compared: list[str] = Field(default_factory=list)
    priorities: list[Priority] = Field(default_factory=list)
    maturity: MaturityFacts = MaturityFacts()
    weighing: Weighing | None = None
    """Null where nothing can be weighed."""
