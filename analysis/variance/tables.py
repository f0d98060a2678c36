"""Variance budgets as tables."""

from __future__ import annotations

from analysis.panel.sentences import PART_NAMES
from analysis.result import Analysis
from analysis.tables import Cell, Table, number, plain_cells, share
from analysis.variance.result import VarianceBudget
from analysis.wording import plural

NAMES = {"latency_s": "latency", "tokens": "tokens"}
"""Quality's own table stands in the section on the judge."""


def budgets_table(analysis: Analysis) -> Table | None:
    """Latency and tokens; None where neither can be taken apart."""
    known = {m: b for m in NAMES if (b := analysis.budgets.get(m)) is not None and b.parts}
    if not known:
        return None
    rows = [
        [
            Cell(f"{NAMES[metric].capitalize()}: {PART_NAMES[name]}"),
            *plain_cells([number(part.variance, 3), share(part.share)]),
        ]
        for metric, budget in known.items()
        for name, part in budget.parts.items()
    ]
    notes = [" ".join([_size(metric, budget), *budget.notes]) for metric, budget in known.items()]
    return Table(
        "budgets",
        "Where the variance of latency and tokens comes from",
        ("Source", "Variance", "Share"),
        rows,
        " ".join(notes),
    )


def _size(metric: str, budget: VarianceBudget) -> str:
    runs, items = plural(budget.runs, "run"), plural(budget.items, "item")
    return f"{NAMES[metric].capitalize()}: {runs} on {items}."


def budget_refusals(analysis: Analysis) -> list[str]:
    return [
        f"Where the variance of {NAMES[metric]} comes from cannot be told: {budget.reason}."
        for metric in NAMES
        if (budget := analysis.budgets.get(metric)) is not None and budget.reason
    ]
