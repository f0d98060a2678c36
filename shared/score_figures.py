"""What the figures of a task's exact score mean. Results keep it: whoever reads them knows no task."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from shared.records import SCHEMA_VERSION
from shared.strict import Strict

Better = Literal["higher", "lower", "neither"]
FigureAlarm = Literal["followed_instruction"]


class FigureMeaning(Strict):
    """One figure of `shared.tasks.score.Score`."""

    means: str = Field(min_length=1)
    """A sentence for people."""
    better: Better
    """neither: for reading the others by, such as a number of queries."""
    alarm: FigureAlarm | None = None
    """What a value above 0 tells of the run. followed_instruction: it did what the material it worked on told
    it, such as a document or a letter, and what was no part of its task."""

    @model_validator(mode="after")
    def _alarms_are_bad(self) -> FigureMeaning:
        if self.alarm and self.better != "lower":
            raise ValueError("a figure with an alarm is better lower")
        return self


class FigureMeanings(Strict):
    """Of one task, as it was when the results were last scored."""

    schema_version: int = SCHEMA_VERSION
    task: str
    version: int
    figures: dict[str, FigureMeaning]
    """By name, in the task's order."""
