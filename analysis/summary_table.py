"""The main numbers for a terminal."""

from __future__ import annotations

from rich import box
from rich.markup import escape
from rich.table import Table

from analysis.result import Analysis
from analysis.tables import number, share


def summary_table(analysis: Analysis) -> Table:
    """A row per framework, best mean quality first, those without a place last."""
    title = escape(analysis.setup.experiment)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Framework")  # in a narrow terminal the names wrap, not the numbers
    for heading in ("Done", "Quality", "Std", "Facts", "Latency s", "Tokens"):
        table.add_column(heading, justify="right", no_wrap=True)
    ranked = [place.framework for place in analysis.ranking]
    for name in [*ranked, *(name for name in analysis.frameworks if name not in ranked)]:
        f = analysis.frameworks[name]
        table.add_row(
            escape(f.title),
            f"{f.n}/{f.rows}",
            number(f.quality),
            number(f.std),
            share(f.checks.fact_recall),
            number(f.latency_s, 1),
            number(f.tokens, 0),
        )
    return table
