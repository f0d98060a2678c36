"""Ratings from a CSV file: all of them, or all that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from judge.rating.blind_report import BlindReport
from judge.rating.csv_table import BadCell, CsvTable, Raters, Row, seconds_cell, showing_cell, time_cell
from judge.rating.posted import HIGHEST, LOWEST, MAX_COMMENT_CHARS, clean_comment
from judge.rating.rater_name import name_key
from judge.rating.write_csv import AFTER, BEFORE, TO_READ, criteria_of
from shared.judgements import Rating

NEEDED = ("rater", "report")


@dataclass(frozen=True)
class ReadRatings:
    ratings: list[Rating]
    blank_rows: int
    """Without any score: reports of a sheet that nobody has rated."""


def read_ratings(
    content: bytes, reports: tuple[BlindReport, ...], raters: Iterable[str], now: str
) -> ReadRatings:
    """Raises RatingsError with every problem and its row.

    Args:
        content: The file.
        reports: Those that can be rated.
        raters: Who has rated before, for the spelling of their names.
        now: For rows that do not say when. UTC, ISO 8601.
    """
    criteria = criteria_of(reports)
    table = CsvTable(content, [*NEEDED, *criteria], [*BEFORE, *criteria, *AFTER, *TO_READ])
    reader = _RatingReader(table, criteria, Raters({name_key(rater): rater for rater in raters}), now)
    by_id = {report.id: report for report in reports}
    ratings: list[Rating] = []
    blank_rows = 0
    for number, row in table.rows():
        if not any(row[name].strip() for name in criteria):
            blank_rows += 1
            continue
        report = by_id.get(row["report"].strip())
        if report is None:
            table.tell(number, f"no report {row['report'].strip()[:80]!r} is in this experiment")
            continue
        values = reader.values(number, row, report)
        if values is None:
            continue
        rating = Rating.model_validate(values)
        key = (name_key(rating.rater), report.id, rating.showing)
        if table.is_new(number, key, "rater, report and showing"):
            ratings.append(rating)
    table.close()
    return ReadRatings(ratings, blank_rows)


@dataclass(frozen=True)
class _RatingReader:
    table: CsvTable
    criteria: list[str]
    raters: Raters
    now: str

    def values(self, number: int, row: Row, report: BlindReport) -> dict[str, object] | None:
        """Of the rating's fields; None, with every problem told, when a cell is wrong."""
        table, before = self.table, self.table.problem_count
        scores = {
            criterion.name: table.cell(number, row, criterion.name, _score)
            for criterion in report.rubric.criteria
        }
        for name in self.criteria:
            if name not in scores and row[name].strip():
                table.tell(number, f"{name} is no criterion of {report.rubric.label}")
        values: dict[str, object] = {
            "rater": table.cell(number, row, "rater", self.raters),
            "rubric": table.cell(number, row, "rubric", lambda cell: _rubric(cell, report)),
            "run_id": report.run_id,
            "attempt_id": report.attempt_id,
            "showing": table.cell(number, row, "showing", showing_cell),
            "scores": scores,
            "seconds": table.cell(number, row, "seconds", seconds_cell),
            "rated_at": table.cell(number, row, "rated_at", time_cell(self.now)),
            "comment": table.cell(number, row, "comment", _comment),
        }
        return values if table.problem_count == before else None


def _score(cell: str) -> int:
    if not cell:
        raise BadCell("no score")
    if not (cell.isascii() and cell.isdecimal() and len(cell) <= 2 and LOWEST <= int(cell) <= HIGHEST):
        raise BadCell(f"{cell[:40]!r} is not a whole number from {LOWEST} to {HIGHEST}")
    return int(cell)


def _rubric(cell: str, report: BlindReport) -> str:
    if cell not in {"", report.rubric.label}:
        raise BadCell(f"rated by {cell[:60]!r}, and this experiment is judged by {report.rubric.label!r}")
    return report.rubric.label


def _comment(cell: str) -> str:
    comment = clean_comment(cell)
    if len(comment) > MAX_COMMENT_CHARS:
        raise BadCell(f"{len(comment):,} characters, and {MAX_COMMENT_CHARS:,} are the most")
    return comment
