"""A report's table in a terminal."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Literal

from rich import box
from rich.table import Table as RichTable
from rich.text import Text

from analysis.tables import Table
from shared.foreign_text import harmless


def rich_table(table: Table, *, wrap_names: bool = False) -> RichTable:
    """All text goes in as `Text`, so that no name is taken for markup.

    Args:
        table: What to show.
        wrap_names: In a narrow terminal the names of the rows wrap, and no number does.
    """
    shown = RichTable(title=plain(table.caption), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(table.columns):
        is_text = number == 0 or number in table.text_columns
        justify: Literal["left", "right"] = "left" if is_text else "right"
        whole = (not is_text) if wrap_names else number == 0
        heading = column.replace(" ", "\n") if wrap_names and not is_text else column
        shown.add_column(plain(heading), justify=justify, overflow="fold", no_wrap=whole)
    for row in table.rows:
        shown.add_row(*(plain(cell.text) for cell in row))
    return shown


def without(table: Table, columns: AbstractSet[str]) -> Table:
    """The table less what a terminal has no room for; the page has it."""
    kept = [place for place, column in enumerate(table.columns) if column not in columns]
    return replace(
        table,
        columns=tuple(table.columns[place] for place in kept),
        rows=[[row[place] for place in kept] for row in table.rows],
        text_columns=frozenset(new for new, place in enumerate(kept) if place in table.text_columns),
    )


def plain(text: str) -> Text:
    """Without what steers a terminal: names may come from anywhere."""
    return Text(harmless(text))
