"""Ratings, preferences and verdicts of an experiment -> tables by report, whoever wrote it.

A report here is a distinct text on an item: the same text is one report, however many runs gave it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.people_result import OVERALL
from analysis.read_runs import Runs
from analysis.result import CRITERIA
from analysis.subjects import role_of
from shared.judgement_store import Judgements
from shared.judgements import Comparison, Preference, Rating
from shared.packing import text_digest
from shared.records import RunRecord, Status, Verdict
from shared.store import Store
from shared.yardsticks import newest_versions, rubric_of

SCALE = range(1, 11)
UNKNOWN = "of attempts that are not in this experiment"
NOT_USED = "of attempts that do not count: superseded, not completed, or in quarantine"
NO_MODEL = "of reports that no model wrote"
OTHER_RUBRIC = "by another version of the rubric"
NO_SCORES = "without scores from 1 to 10"


@dataclass(frozen=True)
class Opinions:
    reports: pd.DataFrame
    """A row per framework and report: subject, report, item, copies (runs), twin."""
    ratings: pd.DataFrame
    """rater, report, showing, seconds, a column per criterion, and OVERALL."""
    verdicts: pd.DataFrame
    """judge, report, a column per criterion, and OVERALL: means over repeats."""
    preferences: list[tuple[str, str, str]]
    """Report shown first, report shown second, winner; first showings."""
    comparisons: dict[str, list[tuple[str, str, str]]]
    """The same by judge; both orders and every repeat."""
    subjects: dict[str, list[str]]
    """Report -> whose it is; several when frameworks wrote the same text."""
    ignored: dict[str, int]

    @property
    def criteria(self) -> list[str]:
        given = [name for name in self.ratings.columns if name not in (*KEYS, OVERALL)]
        return sorted(given, key=lambda name: (CRITERIA.index(name) if name in CRITERIA else 99, name))


KEYS = ("rater", "report", "showing", "seconds")


@dataclass(frozen=True)
class _Book:
    """Which attempt is which report."""

    reports: Mapping[str, str]
    """Attempt id -> report."""
    refused: Mapping[str, str]
    """Attempt id -> why it does not count."""

    def report(self, attempt_id: str, ignored: Counter[str]) -> str | None:
        found = self.reports.get(attempt_id)
        if found is None:
            ignored[self.refused.get(attempt_id, UNKNOWN)] += 1
        return found


def read_opinions(runs: Runs, store: Store) -> Opinions | None:
    """None when nobody rated anything.

    Raises:
        LevelfieldError: A record cannot be read.
    """
    kept = Judgements(store.folder)
    ratings = [rating for rating in kept.ratings() if store.covers(rating.run_id)]
    preferences = [found for found in kept.preferences() if store.covers(f"{found.task}.")]
    if not ratings and not preferences:
        return None
    counted = _counted(runs)
    book = _book(runs, store, counted)
    reports = _reports(runs, counted)
    subjects: dict[str, list[str]] = {}
    for subject, report in zip(reports["subject"], reports["report"], strict=True):
        subjects.setdefault(report, []).append(subject)
    ignored: Counter[str] = Counter()
    usable = _usable(ratings, book, ignored)
    rubrics = _rubrics(usable)
    return Opinions(
        reports=reports,
        ratings=_ratings(usable, rubrics, ignored),
        verdicts=_verdicts(runs.stored.verdicts, rubrics, book),
        preferences=_preferences(preferences, book, ignored),
        comparisons=_comparisons(kept.comparisons(), book),
        subjects=subjects,
        ignored=dict(ignored),
    )


def _counted(runs: Runs) -> list[RunRecord]:
    late = {
        found.quarantine.attempt_id
        for found in runs.stored.quarantined
        if found.quarantine.code == "late_calls"
    }
    return [
        record
        for record in runs.stored.runs
        if record.status is Status.COMPLETED and record.attempt_id not in late and not _dry(runs, record)
    ]


def _dry(runs: Runs, record: RunRecord) -> bool:
    return role_of(record.key.framework, runs.frameworks) == "dry"


def _report(record: RunRecord) -> str:
    return f"{record.key.task}/{record.key.item}/{text_digest(record.text)[:16]}"


def _task(report: str) -> str:
    return report.partition("/")[0]


def _book(runs: Runs, store: Store, counted: list[RunRecord]) -> _Book:
    reports = {record.attempt_id: _report(record) for record in counted}
    refused = {
        record.attempt_id: NO_MODEL if _dry(runs, record) else NOT_USED
        for record in store.attempts()
        if record.attempt_id not in reports
    }
    return _Book(reports, refused)


def _reports(runs: Runs, counted: list[RunRecord]) -> pd.DataFrame:
    rows = pd.DataFrame(
        [
            {
                "subject": runs.naming.subject(record.key.framework, record.key.arm),
                "report": _report(record),
                "item": record.key.item,
                "twin": role_of(record.key.framework, runs.frameworks) == "twin",
            }
            for record in counted
        ],
        columns=["subject", "report", "item", "twin"],
    )
    return rows.groupby(["subject", "report", "item", "twin"], sort=True).size().reset_index(name="copies")


def _usable(ratings: Iterable[Rating], book: _Book, ignored: Counter[str]) -> list[tuple[str, Rating]]:
    """Each rating with its report, in the order in which they were given."""
    found = []
    for rating in sorted(ratings, key=lambda rating: (rating.rated_at, rating.showing)):
        report = book.report(rating.attempt_id, ignored)
        if report is None:
            continue
        if not rating.scores or any(score not in SCALE for score in rating.scores.values()):
            ignored[NO_SCORES] += 1
        else:
            found.append((report, rating))
    return found


def _rubrics(usable: list[tuple[str, Rating]]) -> dict[str, str]:
    """Task -> the rubric by which most of its ratings were given: scores by two are not mixed."""
    counts: dict[str, Counter[str]] = {}
    for report, rating in usable:
        counts.setdefault(_task(report), Counter())[rating.rubric] += 1
    return {task: max(found, key=lambda rubric: (found[rubric], rubric)) for task, found in counts.items()}


def _ratings(
    usable: list[tuple[str, Rating]], rubrics: Mapping[str, str], ignored: Counter[str]
) -> pd.DataFrame:
    """A rater's ratings of one text are numbered in their order: copies of it are showings too."""
    numbers: dict[str, str] = {}
    for _, rating in usable:
        numbers.setdefault(rating.rater, f"rater {len(numbers) + 1}")
    shown: Counter[tuple[str, str]] = Counter()
    rows = []
    for report, rating in sorted(usable, key=lambda found: found[1].showing):
        if rating.rubric != rubrics[_task(report)]:
            ignored[OTHER_RUBRIC] += 1
            continue
        shown[rating.rater, report] += 1
        rows.append(
            {"rater": numbers[rating.rater], "report": report, "showing": shown[rating.rater, report]}
            | {"seconds": rating.seconds, OVERALL: rating.overall}
            | rating.scores
        )
    table = pd.DataFrame(rows, columns=None if rows else [*KEYS, OVERALL])
    table["seconds"] = table["seconds"].astype(float)
    return table


def _verdicts(verdicts: Iterable[Verdict], rubrics: Mapping[str, str], book: _Book) -> pd.DataFrame:
    """By the rubric that people used. A verdict taken over from the same text is no second opinion."""
    by_rubric = [
        verdict
        for verdict in verdicts
        if (report := book.reports.get(verdict.attempt_id))
        and rubric_of(verdict.rubric) == rubrics.get(_task(report))
    ]
    newest = newest_versions(verdict.rubric for verdict in by_rubric)
    rows = [
        {"judge": verdict.judge, "report": report, "own": verdict.same_text_as is None}
        | {OVERALL: sum(verdict.scores.values()) / len(verdict.scores)}
        | verdict.scores
        for verdict in by_rubric
        if verdict.scored
        and verdict.scores
        and verdict.rubric in newest
        and (report := book.reports.get(verdict.attempt_id))
    ]
    table = pd.DataFrame(rows, columns=None if rows else ["judge", "report", "own", OVERALL])
    has_own = table.groupby(["judge", "report"])["own"].transform("any") if rows else table["own"]
    kept = table[table["own"].astype(bool) | ~has_own.astype(bool)].drop(columns="own")
    return kept.groupby(["judge", "report"], sort=True).mean().reset_index()


def _preferences(
    preferences: Iterable[Preference], book: _Book, ignored: Counter[str]
) -> list[tuple[str, str, str]]:
    found = []
    for preference in preferences:
        first = book.report(preference.first_attempt_id, ignored)
        second = book.report(preference.second_attempt_id, ignored) if first else None
        if first and second and preference.showing == 1:
            found.append((first, second, str(preference.winner)))
    return found


def _comparisons(comparisons: Iterable[Comparison], book: _Book) -> dict[str, list[tuple[str, str, str]]]:
    found: dict[str, list[tuple[str, str, str]]] = {}
    for comparison in comparisons:
        first = book.reports.get(comparison.first_attempt_id)
        second = book.reports.get(comparison.second_attempt_id)
        if first and second and comparison.winner:
            found.setdefault(comparison.judge, []).append((first, second, str(comparison.winner)))
    return found
