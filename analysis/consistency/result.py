"""How alike a framework's repeats are, as typed data: `Analysis.consistency`, by subject."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from analysis.result_model import Number, Result
from analysis.wire_result import Interval


class StatedCriterion(Result):
    """What a report must meet to be accepted, beside being completed."""

    column: str
    """Of runs.csv."""
    kind: Literal["least", "most"]
    bound: float
    known: bool
    """False: no run has this value, so it decides about none."""


class PassPower(Result):
    """pass^k: the chance that k independent trials of one item are all accepted.

    Per item C(c, k) / C(n, k) for c accepted of n trials, which is unbiased; then the mean over items (Yao et
    al., tau-bench, arXiv:2406.12045, 2024).
    """

    k: int
    value: float
    interval: Interval | None = None
    items: int
    """Those with k trials or more."""


class Variation(Result):
    """Coefficient of variation within items, pooled by degrees of freedom: the root of the mean square."""

    value: Number = None
    interval: Interval | None = None
    groups: int = 0
    """Groups of two or more runs that it is taken over."""


class Variations(Result):
    all_runs: Variation = Variation()
    same_text: Variation = Variation()
    """Among runs of an item whose texts are byte-identical: the machine's and the way's, not the text's."""
    other_text: Variation = Variation()
    """Among the different texts of an item, the first run of each."""


class SubjectConsistency(Result):
    trials: int
    """Runs that say something of the framework: failures of the model, of ours and late calls are none."""
    accepted: int
    met: dict[str, Number] = Field(default_factory=dict)
    """Criterion -> share of the completed reports that meet it; null where it is not known."""
    pass_power: list[PassPower] = Field(default_factory=list)
    """For k from 1 to the most trials of an item, at most `outcomes.MOST_TRIALS`."""
    repeated_items: int = 0
    """Items with two or more reports."""
    items_of_copies: int | None = None
    """Of these, those whose reports are all byte-identical; null when the reports are not known."""
    distinct_per_item: Number = None
    """Mean number of different reports over the repeated items."""
    similarity: Number = None
    """Mean over items of the mean over pairs of an item's reports of the Jaccard index of word 5-grams,
    copies included (1 each); null when texts are not known or nothing was repeated."""
    similarity_interval: Interval | None = None
    similarity_items: int = 0
    latency: Variations = Variations()
    tokens: Variations = Variations()
