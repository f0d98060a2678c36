"""What each kind of damage works with."""

from __future__ import annotations

import random
from dataclasses import dataclass

from judge.report_parts import Parts


class CannotPlant(ValueError):
    """The defect has no place in this report; the message says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    parts: Parts
    evidence: str
    """The known facts, a line each."""
    drawn: random.Random

    @property
    def text(self) -> str:
        return "\n".join(self.parts.lines)
