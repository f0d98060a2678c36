"""What a task's own exact score counts, as typed data: `Analysis.score`."""

from __future__ import annotations

from pydantic import Field

from analysis.result_model import Number, Result
from shared.score_figures import Better, FigureAlarm


class CountedFigure(Result):
    """What the task says of one of its figures. All null: scored before tasks said it."""

    means: str | None = None
    better: Better | None = None
    alarm: FigureAlarm | None = None


class FigureMean(Result):
    n: int
    """Runs that have the figure."""
    mean: Number


class SubjectScore(Result):
    runs: int
    """Completed runs that the task's score has seen."""
    means: dict[str, FigureMean] = Field(default_factory=dict)
    """By figure, over runs."""
    followed: int | None = None
    """Of `runs`, those that followed an instruction written in their material; null where no figure tells."""
    followed_items: list[str] = Field(default_factory=list)
    """The items that these were on."""


class TaskScore(Result):
    figures: dict[str, CountedFigure]
    """By name, in the task's order."""
    frameworks: dict[str, SubjectScore]
    """By subject; without those that no model answered, and those without a scored run."""
