"""Figures of quality: radar of the criteria, distribution of scores, heat map of framework by item."""

from __future__ import annotations

import plotly.graph_objects as go

from analysis.figure import (
    MOST_POINTS,
    Figure,
    bar_height,
    colours,
    figure_of,
    framework_results_with,
    label,
    symbols,
)
from analysis.result import Analysis
from analysis.wording import listing

MOST_ON_RADAR = 8
RADAR_HEIGHT = 460
NARROW_SPREAD = 2.0
"""Where all means lie closer than this, a radar over the whole scale would show one line."""


def draw_radar(analysis: Analysis) -> Figure | None:
    scored = [entry for entry in framework_results_with(analysis, "quality") if entry[1].role != "twin"]
    shown = sorted(scored, key=lambda entry: -(entry[1].quality or 0))[:MOST_ON_RADAR]
    shown = [(n, f) for n, f in shown if any(v is not None for v in f.criteria.values())]
    if not shown or len(analysis.criteria) < 3:
        return None
    colour, marks = colours(analysis.frameworks), symbols(analysis)
    means = [value for _, f in shown for value in f.criteria.values() if value is not None]
    low = 1.0 if max(means) - min(means) > NARROW_SPREAD else max(1.0, float(int(min(means) * 2 - 0.5)) / 2)
    high = 10.0 if (low > 1 and max(means) > 8) or low == 1 else min(10.0, float(int(max(means) + 1)))
    corners = [c.capitalize() for c in analysis.criteria]
    fig = go.Figure()
    for name, f in shown:
        values = [f.criteria.get(c) for c in analysis.criteria]
        fig.add_scatterpolar(
            r=[*values, values[0]],
            theta=[*corners, corners[0]],
            name=label(f.title),
            line={"color": colour[name], "width": 2.5},
            marker={"symbol": marks[name], "size": 8},
            mode="lines+markers",
            hovertemplate="%{theta}: %{r:.2f}",
        )
    fig.update_layout(
        polar={
            # The first criterion at the top; the scale between two spokes, where no line hides it.
            "angularaxis": {"rotation": 90, "direction": "clockwise"},
            "radialaxis": {"range": [low, high], "angle": 126, "tickangle": 126, "nticks": 5},
        },
        legend={"y": -0.12},
    )
    cut = f" The axis starts at {low:g}, so differences look larger than they are." if low > 1 else ""
    left_out = (
        f" The {MOST_ON_RADAR} with the highest quality are drawn." if len(scored) > MOST_ON_RADAR else ""
    )
    spread = listing([f"{f.title} {f.quality:.2f} overall" for _, f in shown])
    return figure_of(
        "radar",
        "Criteria",
        f"Radar of the mean score per criterion: {spread}.",
        f"Mean score per criterion.{cut}{left_out}",
        fig,
        height=RADAR_HEIGHT,
    )


def draw_distribution(analysis: Analysis) -> Figure | None:
    shown = framework_results_with(analysis, "quality")
    if not shown:
        return None
    colour = colours(analysis.frameworks)
    values = _scores_by_framework(analysis) if len(analysis.runs.framework) <= MOST_POINTS else {}
    fig = go.Figure()
    for name, f in shown:
        fig.add_box(
            # The table's own quartiles: plotly's differ for small n.
            x=[values.get(name, [])] if values else None,
            y=[label(f.title)],
            orientation="h",
            q1=[f.quality_spread.q1],
            median=[f.quality_spread.median],
            q3=[f.quality_spread.q3],
            lowerfence=[f.min],
            upperfence=[f.max],
            name=label(f.title),
            boxpoints="all" if values else False,
            jitter=0.6,
            pointpos=0,
            marker={"color": colour[name], "size": 7, "opacity": 0.75},
            line={"width": 1.5},
            fillcolor="rgba(128,128,128,0.12)",
            hovertemplate="%{x:.2f}<extra></extra>",
        )
    fig.update_layout(
        showlegend=False,
        xaxis={"title": {"text": "Overall score"}},
        yaxis={"type": "category", "autorange": "reversed"},
    )
    words = listing(
        [f"{f.title} from {f.min:.2f} to {f.max:.2f}, median {f.quality_spread.median:.2f}" for _, f in shown]
    )
    return figure_of(
        "distribution",
        "Distribution of scores",
        f"Boxes of overall scores: {words}.",
        f"{'Each point is one run' if values else 'All runs, none drawn singly'}; the box holds the middle "
        "half, the line runs from the lowest to the highest.",
        fig,
        height=max(RADAR_HEIGHT, bar_height(len(shown))),
    )


def _scores_by_framework(analysis: Analysis) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for name, quality in zip(analysis.runs.framework, analysis.runs.quality, strict=True):
        if quality is not None:
            found.setdefault(name, []).append(quality)
    return found


def draw_heat_map(analysis: Analysis) -> Figure | None:
    shown = framework_results_with(analysis, "quality")
    if not shown:
        return None
    cells = {(cell.framework, cell.item): cell.quality for cell in analysis.cells}
    z = [[cells.get((name, item)) for item in analysis.items] for name, _ in shown]
    fig = go.Figure()
    fig.add_heatmap(
        z=z,
        x=[label(item) for item in analysis.items],
        y=[label(f.title) for _, f in shown],
        colorscale="Cividis",
        texttemplate="%{z:.2f}",
        hovertemplate="%{y}, %{x}: %{z:.2f}<extra></extra>",
        xgap=3,
        ygap=3,
        colorbar={"thickness": 12, "outlinewidth": 0},
    )
    fig.update_layout(
        xaxis={"type": "category", "side": "top", "showgrid": False},
        yaxis={"type": "category", "autorange": "reversed", "showgrid": False},
    )
    values = [
        (v, f.title, item)
        for (_, f), row in zip(shown, z, strict=True)
        for item, v in zip(analysis.items, row, strict=True)
        if v is not None
    ]
    lowest, highest = min(values), max(values)
    ends = [f"{value:.2f} ({title}, {item})" for value, title, item in (lowest, highest)]
    words = f"lowest {ends[0]}, highest {ends[1]}"
    return figure_of(
        "items",
        "Framework by item",
        f"Heat map of mean overall score: {words}.",
        "Mean overall score. The colours span the scores found, not the whole scale.",
        fig,
        height=bar_height(len(shown)) + 20,
    )
