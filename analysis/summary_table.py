"""The main numbers for a terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from analysis.result import Analysis
from analysis.tables import number, share


def summary_table(analysis: Analysis) -> Table:
    """A row per framework, best mean quality first, those without a place last."""
    table = Table(
        title=escape(analysis.setup.experiment),
        caption=escape(analysis.summary.headline),
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("Framework")
    headings = ("Runs", "Done", "Quality", "Std", "Facts", "Latency s", "Tokens", "Model calls")
    for heading in headings:
        table.add_column(heading, justify="right")
    ranked = [place.framework for place in analysis.ranking]
    for name in [*ranked, *(name for name in analysis.frameworks if name not in ranked)]:
        f = analysis.frameworks[name]
        table.add_row(
            escape(f.title),
            str(f.rows),
            str(f.n),
            number(f.quality),
            number(f.std),
            share(f.checks.fact_recall),
            number(f.latency_s, 1),
            number(f.tokens, 0),
            number(f.model_calls, 1),
        )
    return table
