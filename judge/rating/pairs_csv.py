"""Which of two reports people find better, as CSV, out and in. Reports go by their opaque ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast, get_args

from judge.rating.blind_report import BlindReport, by_attempt
from judge.rating.csv_cells import csv_text
from judge.rating.csv_table import BadCell, CsvTable, Raters, Row, seconds_cell, showing_cell, time_cell
from judge.rating.rater_name import name_key
from shared.judgements import Preference, Winner

NEEDED = ("rater", "first", "second", "winner")
COLUMNS = ("rater", "first", "second", "showing", "winner", "seconds", "rated_at")
WINNERS: tuple[Winner, ...] = get_args(Winner)


def preferences_csv(preferences: Iterable[Preference], reports: tuple[BlindReport, ...]) -> str:
    """A row for each preference between reports that are here."""
    known = by_attempt(reports)
    rows = [
        (
            *(found.rater, known[found.first_attempt_id].id, known[found.second_attempt_id].id),
            *(found.showing, found.winner, "" if found.seconds is None else found.seconds, found.rated_at),
        )
        for found in preferences
        if found.first_attempt_id in known and found.second_attempt_id in known
    ]
    return csv_text(COLUMNS, rows)


def read_preferences(
    content: bytes, reports: tuple[BlindReport, ...], raters: Iterable[str], now: str
) -> list[Preference]:
    """Raises RatingsError with every problem and its row. The arguments are those of `read_ratings`."""
    table = CsvTable(content, NEEDED, COLUMNS)
    by_id = {report.id: report for report in reports}
    known_raters = Raters({name_key(rater): rater for rater in raters})
    found: list[Preference] = []
    for number, row in table.rows():
        before = table.problem_count
        first, second = (table.cell(number, row, side, _report(by_id)) for side in ("first", "second"))
        values = _values(table, number, row, known_raters, now)
        if first is None or second is None or table.problem_count > before:
            continue
        if first.id == second.id or (first.task, first.item) != (second.task, second.item):
            table.tell(number, "first and second must be two reports on the same item")
            continue
        preference = Preference.model_validate(
            values
            | {"task": first.task, "item": first.item}
            | {"first_attempt_id": first.attempt_id, "second_attempt_id": second.attempt_id}
        )
        key = (name_key(preference.rater), first.id, second.id, preference.showing)
        if table.is_new(number, key, "rater, pair and showing"):
            found.append(preference)
    table.close()
    return found


def _values(table: CsvTable, number: int, row: Row, raters: Raters, now: str) -> dict[str, object]:
    return {
        "rater": table.cell(number, row, "rater", raters),
        "showing": table.cell(number, row, "showing", showing_cell),
        "winner": table.cell(number, row, "winner", _winner),
        "seconds": table.cell(number, row, "seconds", seconds_cell),
        "rated_at": table.cell(number, row, "rated_at", time_cell(now)),
    }


def _report(by_id: dict[str, BlindReport]) -> Callable[[str], BlindReport]:
    def read(cell: str) -> BlindReport:
        if cell not in by_id:
            raise BadCell(f"no report {cell[:80]!r} is in this experiment")
        return by_id[cell]

    return read


def _winner(cell: str) -> Winner:
    if cell.lower() not in WINNERS:
        raise BadCell(f"{cell[:40]!r} is none of {', '.join(WINNERS)}")
    return cast("Winner", cell.lower())
