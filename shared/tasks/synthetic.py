"""Items that a task's `generate.py` makes from a seed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.strict import Strict

Difficulty = Literal["easy", "medium", "hard"]

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class Synthetic(Strict):
    """How an invented item was made: the same seed and difficulty make it again."""

    seed: int = Field(ge=0)
    difficulty: Difficulty
