"""The main numbers for a terminal."""

from __future__ import annotations

from rich import box
from rich.markup import escape
from rich.table import Table

from analysis.result import Analysis
from analysis.tables import number, share

HEADINGS = ("Quality", "Std", "Facts", "Latency s", "Tokens")


def summary_table(analysis: Analysis, task: str | None = None) -> Table:
    """A row per framework, best mean quality first, those without a place last; `task`: for the title."""
    title = escape(f"{analysis.setup.experiment}: {task}" if task else analysis.setup.experiment)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Framework")  # in a narrow terminal the names wrap, not the numbers
    passed = any(f.checks.passed is not None for f in analysis.frameworks.values())
    for heading in ("Done", *(["Passed"] if passed else []), *HEADINGS):
        table.add_column(heading, justify="right", no_wrap=True)
    ranked = [place.framework for place in analysis.ranking]
    for name in [*ranked, *(name for name in analysis.frameworks if name not in ranked)]:
        f = analysis.frameworks[name]
        table.add_row(
            escape(f.title),
            f"{f.n}/{f.rows}",
            *([share(f.checks.passed)] if passed else []),
            number(f.quality),
            number(f.std),
            share(f.checks.fact_recall),
            number(f.latency_s, 1),
            number(f.tokens, 0),
        )
    return table
