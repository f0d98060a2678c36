"""Forest plots: each framework's difference to one of them, with interval, margin and noise floor."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from analysis.estimates.pair_tables import against_reference
from analysis.estimates.result import PairEstimate
from analysis.estimates.tables import NAMES, UNITS, digits
from analysis.figure import MOST_MARKED, Figure, bar_height, colours, figure_of, label, symbols
from analysis.result import Analysis
from analysis.tables import number
from analysis.wire_result import DifferenceMetric
from analysis.wording import listing

BAND = "rgba(127, 132, 140, 0.18)"
LINE = "rgba(127, 132, 140, 0.9)"


def draw_forests(analysis: Analysis) -> list[Figure | None]:
    return [draw_forest(analysis, metric) for metric in ("quality", "latency_s", "tokens")]


def draw_forest(analysis: Analysis, metric: DifferenceMetric) -> Figure | None:
    """Of the usual arm; None without a pair."""
    found = analysis.estimates.get(metric)
    if found is None or not found.families:
        return None
    family = found.families[0]
    rows = against_reference(found, family)[:MOST_MARKED]
    if not rows:
        return None
    colour, marks = colours(analysis.frameworks), symbols(analysis)
    fig = go.Figure()
    for name, pair, sign in rows:
        middle = sign * (pair.mean_difference or 0.0)
        bars: dict[str, Any] = {"visible": False}
        if pair.interval:
            low, high = sorted((sign * pair.interval.low, sign * pair.interval.high))
            bars = {
                "type": "data",
                "symmetric": False,
                "array": [high - middle],
                "arrayminus": [middle - low],
            }
        fig.add_scatter(
            x=[middle],
            y=[label(analysis.frameworks[name].name)],
            error_x=bars | {"color": colour[name], "thickness": 2, "width": 6},
            marker={"color": colour[name], "symbol": marks[name], "size": 10},
            mode="markers",
            showlegend=False,
            name=label(analysis.frameworks[name].title),
            hovertemplate="%{x}",
        )
    _add_marks(fig, family.margin, family.noise)
    reference = analysis.frameworks[family.reference].name
    unit = f" in {'seconds' if UNITS[metric] == 's' else UNITS[metric]}" if UNITS[metric] else ""
    fig.update_layout(
        xaxis={"title": {"text": f"{NAMES[metric]}{unit}, less {label(reference)}"}, "zeroline": True},
        yaxis={"autorange": "reversed", "type": "category", "automargin": True},
        showlegend=False,
    )
    words = listing([_words(analysis, metric, *row) for row in rows])
    left = "" if any(pair.interval for _, pair, _ in rows) else " Too few items for intervals."
    noise = " Dotted: the noise floor." if family.noise is not None else ""
    return figure_of(
        f"forest-{metric.removesuffix('_s')}",
        f"{NAMES[metric]}: how far from {reference}",
        f"Differences of mean {NAMES[metric].lower()}{unit} to {reference}, paired by item: {words}.",
        f"Means over items with 95 % intervals. Grey: within the margin two count as equal.{noise}{left}",
        fig,
        height=bar_height(len(rows)),
    )


def _add_marks(fig: go.Figure, margin: float | None, noise: float | None) -> None:
    fig.add_vline(x=0, line={"color": LINE, "width": 1})
    if margin is not None:
        fig.add_vrect(x0=-margin, x1=margin, fillcolor=BAND, line_width=0, layer="below")
    for side in (-1, 1) if noise is not None else ():
        fig.add_vline(x=side * (noise or 0.0), line={"color": LINE, "width": 1, "dash": "dot"})


def _words(analysis: Analysis, metric: DifferenceMetric, name: str, pair: PairEstimate, sign: float) -> str:
    value = sign * (pair.mean_difference or 0.0)
    return f"{analysis.frameworks[name].name} {number(value, digits(metric, [value]))}"
