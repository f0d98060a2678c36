"""The reports that count, with their texts: what a table of runs does not hold."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.read_runs import Runs


@dataclass(frozen=True)
class KnownReport:
    subject: str
    item: str
    iteration: int
    attempt_id: str
    text: str


def known_reports(runs: Runs) -> list[KnownReport]:
    """Complete reports that a model wrote, in the order of items, subjects and iterations."""
    if not runs.stored.runs:
        return []
    answered = runs.answered
    counted = set(zip(answered["subject"], answered["item"], answered["iteration"], strict=True))
    found = [
        KnownReport(
            subject=runs.naming.subject(record.key.framework, record.key.arm),
            item=record.key.item,
            iteration=record.key.iteration,
            attempt_id=record.attempt_id,
            text=record.text,
        )
        for record in runs.stored.runs
    ]
    kept = [report for report in found if (report.subject, report.item, report.iteration) in counted]
    return sorted(kept, key=lambda report: (report.item, report.subject, report.iteration))
