"""In which order a judge is shown criteria and facts: the same for every report, another in each repeat.

Judges lean towards what they are asked first or read last. Repeat 1 keeps the order as it is written. Repeat
r begins with criterion r (of n, then from the first again), so that in n repeats each criterion stands once
in each place. Its facts begin at a line drawn with a seed from the facts and r. Neither depends on the
report: in a repeat, every report on an item is held against the same text.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

from shared.yardsticks import Rubric


@dataclass(frozen=True, slots=True)
class Presentation:
    rubric: Rubric
    """With its criteria in the order asked for."""
    evidence: str
    evidence_start: int
    """Which line of the evidence comes first, from 0."""

    @property
    def criteria_order(self) -> list[str]:
        return [criterion.name for criterion in self.rubric.criteria]


def present(rubric: Rubric, evidence: str, repeat: int) -> Presentation:
    """The rubric and its evidence as repeat `repeat` (from 1) shows them."""
    first = (repeat - 1) % len(rubric.criteria)
    criteria = rubric.criteria[first:] + rubric.criteria[:first]
    lines = evidence.split("\n")
    start = _first_line(evidence, len(lines), repeat)
    return Presentation(
        rubric.model_copy(update={"criteria": criteria}), "\n".join(lines[start:] + lines[:start]), start
    )


def _first_line(evidence: str, lines: int, repeat: int) -> int:
    if repeat == 1:
        return 0
    seed = f"{hashlib.sha256(evidence.encode()).hexdigest()}:{repeat}"
    return random.Random(seed).randrange(lines)  # noqa: S311 - an order, not a secret
