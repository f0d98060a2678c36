"""The right answer to a question, and how a given one is held against it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from shared.tasks.answer_line import same_words

_NUMBER = re.compile(r"(?<![\w.,])[-\u2212]?(?:\d{1,3}(?:,\d{3})+|\d{1,30})(?:\.\d{1,12})?(?!\w|[.,]\d)")
MAX_RELATIVE_ERROR = 1000.0
"""Beyond it an answer is as wrong as can be, and a mean would tell of nothing else."""
_ROUNDING = 1e-9
"""Relative; for sums of binary fractions."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float
    decimals: int
    """To which the question asks to round; the last place may be off by one."""

    @property
    def tolerance(self) -> float:
        """How far a given number may be away: nothing for a count, one unit of the last place else."""
        return 10.0**-self.decimals if self.decimals else 0.0

    @property
    def text(self) -> str:
        return f"{self.value:.{self.decimals}f}"

    def is_met_by(self, given: float) -> bool:
        allowed = self.tolerance + _ROUNDING * abs(self.value)
        return abs(given - round(self.value, self.decimals)) <= allowed

    def relative_error(self, given: float) -> float:
        """Of what is given; against 1 where the right answer is smaller than that."""
        return min(abs(given - self.value) / max(abs(self.value), 1.0), MAX_RELATIVE_ERROR)


@dataclass(frozen=True, slots=True)
class Name:
    text: str

    def is_met_by(self, given: str) -> bool:
        return same_words(given, self.text)


RightAnswer = Number | Name


def single_number(given: str) -> float | None:
    """The number in it, as "1,234.50 euros" or "12%"; None where there is none, or more than one."""
    numbers = _NUMBER.findall(given.replace("\u20ac", " ").replace("$", " ").replace("%", " "))
    if len(numbers) != 1:
        return None
    value = float(numbers[0].replace(",", "").replace("\u2212", "-"))
    return value if math.isfinite(value) else None
