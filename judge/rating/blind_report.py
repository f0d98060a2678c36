"""A report as a rater gets it: its text and what it is held against, without whose it is."""

from __future__ import annotations

from dataclasses import dataclass

from shared.yardsticks import Rubric


@dataclass(frozen=True)
class BlindReport:
    id: str
    """From task, item and text alone: the same in every session, and in CSV files."""
    task: str
    item: str
    text: str
    description: str
    rubric: Rubric
    evidence: str
    """The known facts, a Markdown list."""
    run_id: str
    """Where its ratings are kept. Never on a page."""
    attempt_id: str
    attempt_ids: frozenset[str]
    """Of every run that wrote this very text: to people they are one report."""


def by_attempt(reports: tuple[BlindReport, ...]) -> dict[str, BlindReport]:
    return {attempt_id: report for report in reports for attempt_id in report.attempt_ids}
