"""Figures of what a run costs: latency, tokens, and quality against latency."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from analysis.figure import (
    MOST_MARKED,
    MOST_POINTS,
    PALETTE,
    Figure,
    bar_height,
    colours,
    figure_of,
    framework_results_with,
    label,
    symbols,
)
from analysis.result import Analysis, FrameworkResult
from analysis.stages import STAGES
from analysis.wording import listing

SEEN = 0.0005
"""Share of a bar below which a stage would only lengthen the legend; the table has it."""

Shown = Sequence[tuple[str, FrameworkResult]]


@dataclass(frozen=True)
class Bar:
    """One piece of every framework's bar."""

    name: str
    values: list[float | None]
    marker: dict[str, Any]


def draw_latency(analysis: Analysis) -> Figure | None:
    shown = _largest_last(analysis, "latency_s")
    if not shown:
        return None
    bars = _stage_bars(shown) or _model_bars(shown)
    whiskers = {
        "type": "data",
        "symmetric": False,
        "array": [_gap(f.latency_spread.max, f.latency_s) for _, f in shown],
        "arrayminus": [_gap(f.latency_s, f.latency_spread.min) for _, f in shown],
        "thickness": 1.5,
    }
    palette = colours(analysis.frameworks)
    plain = Bar("Latency", [f.latency_s for _, f in shown], {"color": [palette[name] for name, _ in shown]})
    fig = _stacked(shown, bars or [plain], "Seconds per run", "%{x:.2f} s", whiskers=whiskers)
    words = listing([f"{f.title} {f.latency_s:.1f} s" for _, f in reversed(shown)])
    return figure_of(
        "latency",
        "Latency",
        f"Bars of mean latency{', by stage' if bars else ''}, shortest first: {words}.",
        "Mean per run; the line runs from the fastest run to the slowest.",
        fig,
        height=bar_height(len(shown)) + (40 if bars else 0),
    )


def draw_tokens(analysis: Analysis) -> Figure | None:
    shown = _largest_last(analysis, "tokens")
    if not shown:
        return None
    if all(f.prompt_tokens is not None and f.completion_tokens is not None for _, f in shown):
        bars = [
            Bar("Input", [f.prompt_tokens for _, f in shown], {"color": PALETTE[4]}),
            Bar("Output", [f.completion_tokens for _, f in shown], {"color": PALETTE[0]}),
        ]
    else:
        bars = [Bar("Total", [f.tokens for _, f in shown], {"color": PALETTE[0]})]
    fig = _stacked(shown, bars, "Tokens per run", "%{x:,.0f}")
    fig.update_layout(xaxis={"tickformat": ",d"}, showlegend=True)
    words = listing([f"{f.title} {f.tokens:,.0f}" for _, f in reversed(shown)])
    return figure_of(
        "tokens",
        "Token efficiency",
        f"Bars of mean tokens per run, fewest first: {words}.",
        "Mean input and output tokens per run; what a point of quality cost is in the table.",
        fig,
        height=bar_height(len(shown)) + 30,
    )


def draw_quality_latency(analysis: Analysis) -> Figure | None:
    shown = [(n, f) for n, f in framework_results_with(analysis, "quality") if f.latency_s is not None]
    if not shown:
        return None
    colour, marks = colours(analysis.frameworks), symbols(analysis)
    each, step = _points(analysis) if len(shown) <= MOST_MARKED else ({}, 1)
    fig = go.Figure()
    outlined = {"line": {"width": 1.5, "color": "white"}}
    for name, f in shown:
        group = {"legendgroup": name, "mode": "markers", "name": label(f.title)}
        if name in each:
            xs, ys, texts = zip(*each[name], strict=True)
            fig.add_scatter(
                x=xs, y=ys, text=texts, showlegend=False, hovertemplate="%{text}<br>%{x:.1f} s, %{y:.2f}",
                marker={"color": colour[name], "symbol": marks[name], "size": 7, "opacity": 0.45}, **group,
            )  # fmt: skip
        fig.add_scatter(
            x=[f.latency_s], y=[f.quality], hovertemplate="mean: %{x:.1f} s, %{y:.2f}",
            marker={"color": colour[name], "symbol": marks[name], "size": 15, **outlined}, **group,
        )  # fmt: skip
    fig.update_layout(
        xaxis={"title": {"text": "Latency in seconds"}, "rangemode": "tozero"},
        yaxis={"title": {"text": "Overall score"}},
        legend={"y": -0.25},
    )
    words = listing([f"{f.title} {f.latency_s:.1f} s and {f.quality:.2f}" for _, f in shown])
    return figure_of(
        "quality-latency",
        "Quality against latency",
        f"Scatter of runs with a mean per framework: {words}.",
        f"Large marks are means of all runs, small ones {f'one run in {step:,}' if step > 1 else 'runs'}. "
        "Up and to the left is better.",
        fig,
        height=480,
    )


def _points(analysis: Analysis) -> tuple[dict[str, list[tuple[float, float, str]]], int]:
    """By framework: latency, score and name of at most MOST_POINTS runs; of how many one is drawn."""
    runs = analysis.runs
    step = max(1, math.ceil(len(runs.framework) / MOST_POINTS))
    each: dict[str, list[tuple[float, float, str]]] = {}
    for place in range(0, len(runs.framework), step):
        x, y = runs.latency_s[place], runs.quality[place]
        if x is not None and y is not None:
            text = label(f"{runs.item[place]}, iteration {runs.iteration[place]}")
            each.setdefault(runs.framework[place], []).append((x, y, text))
    return each, step * runs.every


def _largest_last(analysis: Analysis, field: str) -> Shown:
    """Plotly draws the first row at the bottom."""
    return sorted(framework_results_with(analysis, field), key=lambda entry: -(getattr(entry[1], field) or 0))


def _stage_bars(shown: Shown) -> list[Bar]:
    """A bar per stage that can be seen; empty where the latency is not taken apart everywhere."""
    parts = [f.parts for _, f in shown]
    if not all(parts):
        return []
    bars = []
    for stage in STAGES:
        values = [getattr(part, stage.field) for part in parts]
        if any(
            value >= SEEN * (f.latency_s or 0) for value, (_, f) in zip(values, shown, strict=True) if value
        ):
            bars.append(Bar(stage.name, values, stage.marker))
    return bars


def _model_bars(shown: Shown) -> list[Bar]:
    """Model, tools and the rest, for runs that tell no more; empty where they do not tell that."""
    if any(f.model_s is None or f.framework_s is None for _, f in shown):
        return []
    return [
        Bar("Model", [f.model_s for _, f in shown], {"color": PALETTE[0]}),
        Bar("Tools", [f.tool_s or 0.0 for _, f in shown], {"color": PALETTE[2]}),
        Bar("Framework itself", [f.framework_s for _, f in shown], {"color": PALETTE[1]}),
    ]


def _stacked(
    shown: Shown, bars: Sequence[Bar], axis: str, hover: str, whiskers: dict[str, Any] | None = None
) -> go.Figure:
    fig = go.Figure()
    for bar in bars:
        fig.add_bar(
            y=[label(f.title).replace(" [", "<br>[") for _, f in shown],
            x=bar.values,
            name=bar.name,
            orientation="h",
            marker=bar.marker,
            hovertemplate=hover if len(bars) > 1 else f"{hover}<extra></extra>",
            error_x=whiskers if bar is bars[-1] else None,
        )
    fig.update_layout(
        barmode="stack",
        xaxis={"title": {"text": axis}, "rangemode": "tozero"},
        yaxis={"type": "category"},
        showlegend=len(bars) > 1,
        legend={"traceorder": "normal"},
        bargap=0.35,
    )
    return fig


def _gap(high: float | None, low: float | None) -> float:
    return high - low if high is not None and low is not None else 0.0
