"""One framework and metric held against its margin, and the p values of all that are gated together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from analysis.change.changes import ALPHA, Pair, Steps
from analysis.change.result import ChangeMetric
from analysis.change.sign_flip import fewest_pairs, sign_flip
from analysis.holm import holm

HIGHER_IS_BETTER: frozenset[ChangeMetric] = frozenset({"quality"})


@dataclass(frozen=True)
class Held:
    pair: Pair
    metric: ChangeMetric
    margin: float
    at: Steps
    blocked: list[str]
    """What in the making of the two makes the metric incomparable."""
    p: float | None = None
    """One-sided, of a change within the margin; None where no data could make it small."""
    p_holm: float | None = None
    """None also where nothing changed at all."""

    @property
    def mean(self) -> float | None:
        """As a step (`analysis.change.side.step`)."""
        return float(self.at.each.mean()) if self.at.usable else None

    @property
    def allowed(self) -> float:
        """The margin as a step: 5 % more seconds, 5 % less quality, 5 more failures in 100 runs."""
        if self.metric == "failures":
            return self.margin
        return float(-np.log1p(-self.margin) if self.metric in HIGHER_IS_BETTER else np.log1p(self.margin))

    @cached_property
    def bounds(self) -> tuple[float, float] | None:
        """What the step is above and below, each wrong in at most ALPHA."""
        return self.at.test.bounds(ALPHA) if self.p is not None else None

    @property
    def worst(self) -> float | None:
        """The bound on the side that is worse, as a step towards worse."""
        if self.bounds is None:
            return None
        return -self.bounds[0] if self.metric in HIGHER_IS_BETTER else self.bounds[1]

    @property
    def testable(self) -> bool:
        """By the number of items alone, so that no value decides what is tested."""
        return not self.blocked and self.at.usable and len(self.at.items) >= fewest_pairs(ALPHA)

    def tested(self) -> Held:
        worse = -self.at.each if self.metric in HIGHER_IS_BETTER else self.at.each
        return replace(self, p=sign_flip(worse).p_above(self.allowed)) if self.testable else self


def corrected(held: Sequence[Held]) -> list[Held]:
    """With p values, and these after Holm's correction over all that have one and where anything changed.

    What is the same in every pair cannot be a false alarm. Under no change the test takes the lengths of the
    steps as given, and so may which of them are all zero.
    """
    found = [one.tested() for one in held]
    family = [place for place, one in enumerate(found) if one.p is not None and not one.at.identical]
    if family:
        adjusted = holm(np.array([found[place].p for place in family]))
        for place, p in zip(family, adjusted, strict=True):
            found[place] = replace(found[place], p_holm=float(p))
    return found
