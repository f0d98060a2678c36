"""A judge's audit for a terminal of 80 columns: a line per criterion and per defect, then the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from analysis.audit_result import Audit
from analysis.audit_tables import audit_table, signed, sway_table
from analysis.audit_verdict import sentence_on
from analysis.tables import Table


def print_audit(judge: str, audit: Audit, console: Console) -> None:
    """All text goes out as `Text`, so that no name is taken for markup."""
    one = {judge: audit}
    console.print(Text(judge, style="bold"), soft_wrap=True)
    if table := audit_table(one):
        rows = [[cell.text for cell in row[1:]] for row in table.rows]
        console.print(_grid(table.columns[1:], rows, words=2))
    if audit.defects:
        columns = ("Defect", "Must lower", "Copies", "Change there", "Of the overall")
        console.print(_grid(columns, _effects(audit), words=2))
    if table := sway_table(one):
        _print_lines(table, console)
    console.print(Text(sentence_on(judge, audit), style="bold"), soft_wrap=True)


def _effects(audit: Audit) -> Iterable[list[str]]:
    for name, effect in audit.defects.items():
        there = signed(effect.criteria.get(effect.lowers or ""))
        yield [name, effect.lowers or "none may rise", str(effect.copies), there, signed(effect.overall)]


def _print_lines(table: Table, console: Console) -> None:
    """Its only row, a line for each column."""
    for column, cell in zip(table.columns[1:], table.rows[0][1:], strict=True):
        console.print(Text(f"{column}: {cell.text}"), soft_wrap=True)


def _grid(columns: Sequence[str], rows: Iterable[Sequence[str]], *, words: int) -> RichTable:
    """The first columns hold words, the others numbers."""
    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    for place, column in enumerate(columns):
        shown.add_column(Text(column), justify="left" if place < words else "right", no_wrap=place < words)
    for row in rows:
        shown.add_row(*map(Text, row))
    return shown
