"""What the page's script needs to move the table: means per framework, from which a latency is one sum."""

from __future__ import annotations

from typing import Any

from analysis.cost.money import sign
from analysis.cost.result import Cost
from analysis.result import Analysis
from analysis.tables import digits_for

COLUMNS = {"predicted": 7, "change": 8, "cost": 9}
"""Places in `analysis.what_if.tables.what_if_table`."""
FIGURES = 6


def what_if_data(analysis: Analysis) -> dict[str, Any] | None:
    """None where there is no table; rows in the table's order."""
    found, rates = analysis.what_if, analysis.what_if.rates
    if rates is None:
        return None
    shown = {name: found.frameworks[name] for name in analysis.frameworks if name in found.frameworks}
    return {
        "columns": COLUMNS,
        "digits": digits_for(p.workload.latency_s for p in shown.values()),
        "rates": {
            "prefill": _short(rates.prefill_tokens_per_s),
            "decode": _short(rates.decode_tokens_per_s),
            "call": _short(rates.call_s),
        },
        "rows": [
            {
                "title": analysis.frameworks[name].title,
                "measured": p.workload.latency_s,
                "other": p.workload.other_s,
                "fresh": p.workload.fresh_tokens,
                "output": p.workload.output_tokens,
                "calls": p.workload.model_calls,
                "overlap": p.workload.overlap,
            }
            for name, p in shown.items()
        ],
        "prices": [
            {
                "title": price.title,
                "sign": sign(price.currency),
                "per_run": [analysis.cost[key].get(name, Cost()).per_run for name in shown],
            }
            for key, price in analysis.prices.items()
        ],
    }


def _short(value: float | None) -> float | None:
    """As a person would type it."""
    return None if value is None else float(f"{value:.{FIGURES}g}")
