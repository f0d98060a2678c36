"""A report's table in a terminal."""

from __future__ import annotations

import unicodedata
from typing import Literal

from rich import box
from rich.table import Table as RichTable
from rich.text import Text

from analysis.tables import Table


def rich_table(table: Table) -> RichTable:
    """All text goes in as `Text`, so that no name is taken for markup."""
    shown = RichTable(title=plain(table.caption), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(table.columns):
        is_text = number == 0 or number in table.text_columns
        justify: Literal["left", "right"] = "left" if is_text else "right"
        shown.add_column(plain(column), justify=justify, overflow="fold", no_wrap=number == 0)
    for row in table.rows:
        shown.add_row(*(plain(cell.text) for cell in row))
    return shown


def plain(text: str) -> Text:
    """Without what steers a terminal: names may come from anywhere."""
    return Text("".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else "?" for c in text))
