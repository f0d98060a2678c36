"""Ratings, and blank sheets for ratings, as CSV. Reports go by their opaque ids: a sheet is blind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from judge.rating.blind_report import BlindReport, by_attempt
from judge.rating.csv_cells import csv_text
from judge.rating.rater_name import name_key
from judge.rating.scoring import ratings_by_key
from judge.rating.showing_order import order_of_reports
from shared.judgements import Rating

BEFORE, AFTER = ("rater", "report", "rubric", "showing"), ("comment", "seconds", "rated_at")
"""Columns on either side of the criteria."""
TO_READ = ("task", "facts", "text")
"""Further columns of a sheet."""
MAX_CELL_CHARS = 32_000
"""Excel keeps 32,767 characters of a cell."""


def criteria_of(reports: Iterable[BlindReport]) -> list[str]:
    """Of all their rubrics, each once."""
    names = (criterion.name for report in reports for criterion in report.rubric.criteria)
    return list(dict.fromkeys(names))


def ratings_csv(ratings: Iterable[Rating], reports: tuple[BlindReport, ...]) -> str:
    """A row for each rating of a report that is here."""
    known, criteria = by_attempt(reports), criteria_of(reports)
    rows = [
        _row(rating, known[rating.attempt_id].id, criteria)
        for rating in ratings
        if rating.attempt_id in known
    ]
    return csv_text([*BEFORE, *criteria, *AFTER], rows)


def sheet_csv(raters: Sequence[str], ratings: list[Rating], reports: tuple[BlindReport, ...]) -> str:
    """Each rater's reports in his order with all there is to read, blank where he has not rated.

    Without repeats, which a sheet could not hide.
    """
    criteria, known = criteria_of(reports), {report.id: report for report in reports}
    given = ratings_by_key(ratings, reports)
    rows = []
    for rater in raters:
        for showing in order_of_reports(known, rater):
            if showing.showing > 1:
                continue
            report = known[showing.reports[0]]
            rating = given.get((name_key(rater), report.id, 1))
            start = (
                _row(rating, report.id, criteria)
                if rating
                else [rater, report.id, report.rubric.label, 1, *[""] * (len(criteria) + len(AFTER))]
            )
            rows.append(
                [*start, *(_cell(text) for text in (report.description, report.evidence, report.text))]
            )
    return csv_text([*BEFORE, *criteria, *AFTER, *TO_READ], rows)


def _row(rating: Rating, report: str, criteria: list[str]) -> list[object]:
    scores = [rating.scores.get(name, "") for name in criteria]
    seconds = "" if rating.seconds is None else rating.seconds
    return [
        *(rating.rater, report, rating.rubric, rating.showing),
        *scores,
        *(rating.comment, seconds, rating.rated_at),
    ]


def _cell(text: str) -> str:
    if len(text) <= MAX_CELL_CHARS:
        return text
    return f"{text[:MAX_CELL_CHARS]}\n(The report goes on: {len(text):,} characters.)"
