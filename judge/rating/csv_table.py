"""A CSV file row by row, with everything that is wrong with it and where."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from judge.rating.csv_cells import UnreadableCsv, csv_rows
from judge.rating.posted import MAX_SECONDS
from judge.rating.rater_name import BadName, clean_name, name_key
from shared.errors import RatingsError
from shared.suggest import unknown_name

MAX_BYTES = 100 * 2**20
MAX_SHOWN = 20
"""Problems named; of the others the number is told."""
SHOWINGS = ("1", "2")
Row = Mapping[str, str]
Value = TypeVar("Value")


class BadCell(ValueError):
    """The message says what the cell should be."""


class CsvTable:
    """Raises RatingsError at once where no row can be read; other problems are gathered for `close`."""

    def __init__(self, content: bytes, needed: Sequence[str], known: Sequence[str]) -> None:
        """Of the columns `known`, those `needed` must be there."""
        if len(content) > MAX_BYTES:
            raise RatingsError(f"The file has over {MAX_BYTES // 2**20} MB: that is no file of ratings.")
        try:
            rows = list(csv_rows(content))
        except UnreadableCsv as error:
            raise _refusal([str(error)]) from None
        if not rows:
            raise _refusal(["the file is empty"])
        self._columns = [cell.strip().lower() for cell in rows[0][1]]
        self._rows = rows[1:]
        self._problems: list[str] = []
        self._first_seen: dict[object, int] = {}
        if wrong := _column_problems(self._columns, needed, known):
            raise _refusal(wrong)

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Row number and cells by column; rows with more cells than columns are told and left out."""
        for number, cells in self._rows:
            if any(cell.strip() for cell in cells[len(self._columns) :]):
                self.tell(number, f"{len(cells)} cells in {len(self._columns)} columns")
                continue
            padded = [*cells, *[""] * len(self._columns)]
            yield number, dict(zip(self._columns, padded, strict=False))

    def cell(self, number: int, row: Row, column: str, read: Callable[[str], Value]) -> Value | None:
        """None, with the problem told, when `read` refuses it."""
        try:
            return read(row.get(column, "").strip())
        except (BadCell, BadName) as error:
            self.tell(number, f"{column}: {error}")
            return None

    def tell(self, number: int, problem: str) -> None:
        self._problems.append(f"row {number}: {problem}")

    @property
    def problem_count(self) -> int:
        return len(self._problems)

    def is_new(self, number: int, key: object, what: str) -> bool:
        """Whether no earlier row has this key; if one has, that is told."""
        if key in self._first_seen:
            self.tell(number, f"the same {what} as row {self._first_seen[key]}")
            return False
        self._first_seen[key] = number
        return True

    def close(self) -> None:
        """Raises RatingsError with all that is wrong."""
        if self._problems:
            raise _refusal(self._problems)


class Raters:
    """Names as they were first written."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._spelling = dict(known)

    def __call__(self, cell: str) -> str:
        name = clean_name(cell)
        return self._spelling.setdefault(name_key(name), name)


def showing_cell(cell: str) -> int:
    if cell not in {"", *SHOWINGS}:
        raise BadCell(f"{cell[:40]!r} is neither 1 nor 2")
    return int(cell or 1)


def seconds_cell(cell: str) -> float | None:
    if not cell:
        return None
    try:
        seconds = float(cell.replace(",", "."))
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MAX_SECONDS:
        raise BadCell(f"{cell[:40]!r} is no number of seconds")
    return seconds


def time_cell(now: str) -> Callable[[str], str]:
    """`now` for a blank one."""

    def read(cell: str) -> str:
        if not cell:
            return now
        try:
            at = dt.datetime.fromisoformat(cell)
            return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).astimezone(dt.UTC).isoformat()
        except (ValueError, OverflowError):
            raise BadCell(f"{cell[:40]!r} is no time such as {now}") from None

    return read


def _column_problems(columns: list[str], needed: Sequence[str], known: Sequence[str]) -> list[str]:
    missing = [name for name in needed if name not in columns]
    unknown = [name for name in columns if name not in known]
    twice = [name for name, count in Counter(columns).items() if count > 1 and name in known]
    return [
        *(f'row 1: the column "{name}" is missing' for name in missing),
        *(f"row 1: {unknown_name('column', name[:60], known)}" for name in unknown),
        *(f'row 1: the column "{name}" is there more than once' for name in twice),
    ]


def _refusal(problems: list[str]) -> RatingsError:
    more = len(problems) - MAX_SHOWN
    lines = [*problems[:MAX_SHOWN], *([f"and {more} more"] if more > 0 else [])]
    return RatingsError("Nothing was taken from the file:\n" + "\n".join(f"  {line}" for line in lines))
