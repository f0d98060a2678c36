"""Ratings from a CSV file: all of them, or all that is wrong with it."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from judge.rating.blind_report import BlindReport
from judge.rating.csv_cells import UnreadableCsv, csv_rows
from judge.rating.posted import HIGHEST, LOWEST, MAX_COMMENT_CHARS, MAX_SECONDS, clean_comment
from judge.rating.rater_name import BadName, clean_name, name_key
from judge.rating.write_csv import AFTER, BEFORE, TO_READ, criteria_of
from shared.errors import RatingsError
from shared.judgements import Rating
from shared.suggest import unknown_name

NEEDED = ("rater", "report")
MAX_BYTES = 100 * 2**20
MAX_SHOWN = 20
"""Problems named; of the others the number is told."""
SHOWINGS = ("1", "2")


@dataclass(frozen=True)
class ReadRatings:
    ratings: list[Rating]
    blank_rows: int
    """Without any score: reports of a sheet that nobody has rated."""


class _BadCell(ValueError):
    pass


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
    if len(content) > MAX_BYTES:
        raise RatingsError(f"The file has over {MAX_BYTES // 2**20} MB: that is no file of ratings.")
    problems: list[str] = []
    try:
        rows = list(csv_rows(content))
    except UnreadableCsv as error:
        raise RatingsError(_told([str(error)])) from None
    if not rows:
        raise RatingsError(_told(["the file is empty"]))
    criteria = criteria_of(reports)
    columns = [cell.strip().lower() for cell in rows[0][1]]
    problems += _column_problems(columns, criteria)
    if problems:
        raise RatingsError(_told(problems))
    reader = _RowReader(reports, criteria, {name_key(rater): rater for rater in raters}, now)
    for number, cells in rows[1:]:
        reader.read(number, columns, cells)
    if reader.problems:
        raise RatingsError(_told(reader.problems))
    return ReadRatings(reader.ratings, reader.blank_rows)


def _column_problems(columns: list[str], criteria: list[str]) -> list[str]:
    known = [*BEFORE, *criteria, *AFTER, *TO_READ]
    missing = [name for name in (*NEEDED, *criteria) if name not in columns]
    unknown = [name for name in columns if name not in known]
    twice = [name for name, count in Counter(columns).items() if count > 1 and name in known]
    return [
        *(f'row 1: the column "{name}" is missing' for name in missing),
        *(f"row 1: {unknown_name('column', name[:60], known)}" for name in unknown),
        *(f'row 1: the column "{name}" is there more than once' for name in twice),
    ]


@dataclass
class _RowReader:
    """Rows into ratings, or into problems."""

    reports: tuple[BlindReport, ...]
    criteria: list[str]
    spelling: dict[str, str]
    """Of raters' names."""
    now: str
    ratings: list[Rating] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    blank_rows: int = 0
    _seen: dict[tuple[str, str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_id = {report.id: report for report in self.reports}

    def read(self, number: int, columns: list[str], cells: list[str]) -> None:
        if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
            self._tell(number, f"{len(cells)} cells in {len(columns)} columns")
            return
        row = dict(zip(columns, [*cells, *[""] * len(columns)], strict=False))
        if not any(row[name].strip() for name in self.criteria):
            self.blank_rows += 1
            return
        report = self._by_id.get(row["report"].strip())
        if report is None:
            self._tell(number, f"no report {row['report'].strip()[:80]!r} is in this experiment")
            return
        values = self._values(number, row, report)
        if values is not None:
            self._add(number, report, Rating.model_validate(values))

    def _values(self, number: int, row: Mapping[str, str], report: BlindReport) -> dict[str, object] | None:
        """Of the rating's fields; None, with every problem told, when a cell is wrong."""
        before = len(self.problems)
        scores = {
            criterion.name: self._cell(number, row, criterion.name, _score)
            for criterion in report.rubric.criteria
        }
        own = set(scores)
        for name in self.criteria:
            if name not in own and row[name].strip():
                self._tell(number, f"{name} is no criterion of {report.rubric.label}")
        values: dict[str, object] = {
            "rater": self._cell(number, row, "rater", self._rater),
            "rubric": self._cell(number, row, "rubric", lambda cell: _rubric(cell, report)),
            "run_id": report.run_id,
            "attempt_id": report.attempt_id,
            "showing": self._cell(number, row, "showing", _showing),
            "scores": scores,
            "seconds": self._cell(number, row, "seconds", _seconds),
            "rated_at": self._cell(number, row, "rated_at", self._rated_at),
            "comment": self._cell(number, row, "comment", _comment),
        }
        return values if len(self.problems) == before else None

    def _add(self, number: int, report: BlindReport, rating: Rating) -> None:
        key = (name_key(rating.rater), report.id, rating.showing)
        if key in self._seen:
            self._tell(number, f"the same rater, report and showing as row {self._seen[key]}")
            return
        self._seen[key] = number
        self.ratings.append(rating)

    def _cell(
        self, number: int, row: Mapping[str, str], column: str, read: Callable[[str], object]
    ) -> object:
        try:
            return read(row.get(column, "").strip())
        except (_BadCell, BadName) as error:
            self._tell(number, f"{column}: {error}")
            return None

    def _rater(self, cell: str) -> str:
        name = clean_name(cell)
        return self.spelling.setdefault(name_key(name), name)

    def _rated_at(self, cell: str) -> str:
        if not cell:
            return self.now
        try:
            at = dt.datetime.fromisoformat(cell)
            return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).astimezone(dt.UTC).isoformat()
        except (ValueError, OverflowError):
            raise _BadCell(f"{cell[:40]!r} is no time such as {self.now}") from None

    def _tell(self, number: int, problem: str) -> None:
        self.problems.append(f"row {number}: {problem}")


def _score(cell: str) -> int:
    if not cell:
        raise _BadCell("no score")
    if not (cell.isascii() and cell.isdecimal() and len(cell) <= 2 and LOWEST <= int(cell) <= HIGHEST):
        raise _BadCell(f"{cell[:40]!r} is not a whole number from {LOWEST} to {HIGHEST}")
    return int(cell)


def _showing(cell: str) -> int:
    if cell not in {"", *SHOWINGS}:
        raise _BadCell(f"{cell[:40]!r} is neither 1 nor 2")
    return int(cell or 1)


def _seconds(cell: str) -> float | None:
    if not cell:
        return None
    try:
        seconds = float(cell.replace(",", "."))
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MAX_SECONDS:
        raise _BadCell(f"{cell[:40]!r} is no number of seconds")
    return seconds


def _rubric(cell: str, report: BlindReport) -> str:
    if cell not in {"", report.rubric.label}:
        raise _BadCell(f"rated by {cell[:60]!r}, and this experiment is judged by {report.rubric.label!r}")
    return report.rubric.label


def _comment(cell: str) -> str:
    comment = clean_comment(cell)
    if len(comment) > MAX_COMMENT_CHARS:
        raise _BadCell(f"{len(comment):,} characters, and {MAX_COMMENT_CHARS:,} are the most")
    return comment


def _told(problems: list[str]) -> str:
    more = len(problems) - MAX_SHOWN
    lines = [*problems[:MAX_SHOWN], *([f"and {more} more"] if more > 0 else [])]
    return "Nothing was taken from the file:\n" + "\n".join(f"  {line}" for line in lines)
