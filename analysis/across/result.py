"""What holds across tasks, as typed data; the keys are public."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from analysis.result import Analysis
from analysis.result_model import Number, Result
from analysis.significance_result import Metric

Verdict = Literal["all_higher", "all_lower", "mixed", "some", "none", "unknown"]
"""Of one framework's difference from the reference: shown in every task and the same way; shown both ways in
different tasks; shown in some tasks only; in none; or there is no task in which it could be tested."""


class TaskDifference(Result):
    """In one task: the framework less the reference, on the item means of that task."""

    share: Number
    """Of the reference's mean; null where that is 0."""
    low: Number
    high: Number
    """95 % interval of the share."""
    n_items: int
    higher: bool | None
    """Which way the test shows it; null where it shows nothing."""
    shown: bool | None
    """By the task's own test after Holm; null: it could not be tested."""


class Holding(Result):
    """One framework on one metric, in every task."""

    subject: str
    title: str
    reference: str
    metric: Metric
    arm: str | None
    tasks: dict[str, TaskDifference]
    verdict: Verdict


class Profile(Result):
    """One framework in one task."""

    title: str
    completed: int
    runs: int
    passed: Number
    """Share of its completed runs that passed the task's own exact score; null where the task has none."""
    accepted: Number
    """Share of its trials that are accepted by the plan's criteria."""
    quality: Number
    latency_s: Number
    tokens: Number


class AcrossTasks(Result):
    """`report.json` of an experiment with several tasks."""

    experiment: str
    tasks: dict[str, Analysis]
    """Each as if it were alone."""
    headline: str
    sentences: list[str] = Field(default_factory=list)
    profiles: dict[str, dict[str, Profile]] = Field(default_factory=dict)
    """Subject -> task -> profile."""
    holdings: list[Holding] = Field(default_factory=list)
