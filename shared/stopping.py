"""The plan's key `stopping`: when an experiment may end before its last item, stated before its first run.

Looking at results and stopping when they please makes chance look like a finding. Here the looks are stated
beforehand, every p value is multiplied by their number (Bonferroni), and the last item counts as a look: so
the chance of any false finding stays what one look at the end would have.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from pydantic import Field, field_validator

from shared.strict import Strict

FEWEST_ITEMS = 5
"""Below it no paired test of the analysis decides (`analysis.mean_interval.FEWEST_ITEMS`)."""

StoppingMetric = Literal["tokens", "latency_s"]
"""What the wire tells at once; a judge's scores come later."""


class Stopping(Strict):
    """Items are run one after another, each with all its iterations; at each look the experiment ends if on
    `metric` every pair of frameworks, in every arm, is shown different or shown equal within its margin.
    """

    metric: StoppingMetric = "tokens"
    looks: tuple[int, ...] = Field(min_length=1)
    """Numbers of complete items after which the results are looked at; that of all is one by itself."""

    @field_validator("looks")
    @classmethod
    def _rising(cls, looks: tuple[int, ...]) -> tuple[int, ...]:
        if any(later <= earlier for earlier, later in pairwise(looks)):
            raise ValueError(f"looks must rise: {', '.join(map(str, looks))}")
        if looks[0] < FEWEST_ITEMS:
            raise ValueError(f"looks begin at {FEWEST_ITEMS} items: fewer decide nothing")
        return looks

    @property
    def count(self) -> int:
        """Looks in all, the one at the end among them."""
        return len(self.looks) + 1


class DecidedPair(Strict):
    a: str
    b: str
    arm: str | None
    found: Literal["different", "equal"]
    p: float
    """After Holm over the pairs, times the number of looks."""


class Stopped(Strict):
    """`stopped.json`: the rule ended the experiment."""

    metric: StoppingMetric
    items: int
    """Complete at that look."""
    look: int
    """From 1."""
    looks: int
    pairs: list[DecidedPair]

    @property
    def sentence(self) -> str:
        different = sum(pair.found == "different" for pair in self.pairs)
        return (
            f"Stopped by the plan's rule after {self.items} items, at look {self.look} of {self.looks}: on "
            f"{self.metric} every pair is decided, {different} as different and "
            f"{len(self.pairs) - different} as equal within the margin."
        )
