"""Runs -> what the task's own score counts in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from analysis.known_reports import known_reports
from analysis.read_runs import Runs
from analysis.score.result import CountedFigure, FigureMean, SubjectScore, TaskScore
from shared.score_figures import FigureMeaning

Scored = tuple[str, dict[str, float]]
"""A run's item and figures."""


def measure_score(runs: Runs) -> TaskScore | None:
    """None where the task counts nothing, and for a table of runs from elsewhere."""
    checks = {check.attempt_id: check for check in runs.stored.checks}
    scored: dict[str, list[Scored]] = {}
    for report in known_reports(runs):
        check = checks.get(report.attempt_id)
        if check and check.figures:
            scored.setdefault(report.subject, []).append((report.item, check.figures))
    counted = dict.fromkeys(name for found in scored.values() for _, figures in found for name in figures)
    if not counted:
        return None
    described = _meanings(runs)
    names = [*(name for name in described if name in counted), *(n for n in counted if n not in described)]
    alarms = [name for name in names if name in described and described[name].alarm == "followed_instruction"]
    return TaskScore(
        figures={name: _described(described.get(name)) for name in names},
        frameworks={subject: _subject(found, names, alarms) for subject, found in sorted(scored.items())},
    )


def _meanings(runs: Runs) -> Mapping[str, FigureMeaning]:
    (task,) = runs.table["task"].unique()
    found = runs.stored.figure_meanings.get(str(task))
    return found.figures if found else {}


def _described(meaning: FigureMeaning | None) -> CountedFigure:
    return CountedFigure(**meaning.model_dump()) if meaning else CountedFigure()


def _subject(scored: list[Scored], names: Iterable[str], alarms: list[str]) -> SubjectScore:
    values = {name: [figures[name] for _, figures in scored if name in figures] for name in names}
    followed = [item for item, figures in scored if any(figures.get(name, 0) > 0 for name in alarms)]
    return SubjectScore(
        runs=len(scored),
        means={
            name: FigureMean(n=len(found), mean=np.mean(found)) for name, found in values.items() if found
        },
        followed=len(followed) if alarms else None,
        followed_items=sorted(set(followed)),
    )
