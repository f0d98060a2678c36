"""Figures of what a run costs: latency, tokens, and quality against latency."""

from __future__ import annotations

import plotly.graph_objects as go

from analysis.figure import (
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
from analysis.result import Analysis
from analysis.wording import listing


def draw_latency(analysis: Analysis) -> Figure | None:
    shown = sorted(
        framework_results_with(analysis, "latency_s"), key=lambda entry: -(entry[1].latency_s or 0)
    )
    if not shown:
        return None
    titles = [label(f.title) for _, f in shown]
    fig = go.Figure()
    parts = all(f.model_s is not None and f.framework_s is not None for _, f in shown)
    whiskers = {
        "type": "data",
        "symmetric": False,
        "array": [_gap(f.latency_spread.max, f.latency_s) for _, f in shown],
        "arrayminus": [_gap(f.latency_s, f.latency_spread.min) for _, f in shown],
        "thickness": 1.5,
    }
    if parts:
        for field, name, colour in (
            ("model_s", "Model", PALETTE[0]),
            ("tool_s", "Tools", PALETTE[2]),
            ("framework_s", "Framework itself", PALETTE[1]),
        ):
            values = [getattr(f, field) or 0.0 for _, f in shown]
            last = {"error_x": whiskers} if field == "framework_s" else {}
            fig.add_bar(
                y=titles,
                x=values,
                name=name,
                orientation="h",
                marker_color=colour,
                hovertemplate="%{x:.2f} s",
                **last,
            )
    else:
        palette = colours(analysis)
        fig.add_bar(
            y=titles,
            x=[f.latency_s for _, f in shown],
            orientation="h",
            marker_color=[palette[name] for name, _ in shown],
            error_x=whiskers,
            hovertemplate="%{x:.1f} s<extra></extra>",
        )
    fig.update_layout(
        barmode="stack",
        xaxis={"title": {"text": "Seconds per run"}, "rangemode": "tozero"},
        yaxis={"type": "category"},
        showlegend=parts,
        legend={"traceorder": "normal"},
        bargap=0.35,
    )
    words = listing([f"{f.title} {f.latency_s:.1f} s" for _, f in reversed(shown)])
    return figure_of(
        "latency",
        "Latency",
        f"Bars of mean latency, shortest first: {words}.",
        "Mean per run; the line runs from the fastest run to the slowest.",
        fig,
        height=bar_height(len(shown)),
    )


def draw_tokens(analysis: Analysis) -> Figure | None:
    shown = sorted(framework_results_with(analysis, "tokens"), key=lambda entry: -(entry[1].tokens or 0))
    if not shown:
        return None
    titles = [label(f.title) for _, f in shown]
    fig = go.Figure()
    if all(f.prompt_tokens is not None and f.completion_tokens is not None for _, f in shown):
        fig.add_bar(
            y=titles,
            x=[f.prompt_tokens for _, f in shown],
            name="Input",
            orientation="h",
            marker_color=PALETTE[4],
            hovertemplate="%{x:,.0f}",
        )
        fig.add_bar(
            y=titles,
            x=[f.completion_tokens for _, f in shown],
            name="Output",
            orientation="h",
            marker_color=PALETTE[0],
            hovertemplate="%{x:,.0f}",
        )
    else:
        fig.add_bar(
            y=titles,
            x=[f.tokens for _, f in shown],
            name="Total",
            orientation="h",
            marker_color=PALETTE[0],
            hovertemplate="%{x:,.0f}",
        )
    fig.update_layout(
        barmode="stack",
        xaxis={"title": {"text": "Tokens per run"}, "tickformat": ",d"},
        yaxis={"type": "category"},
        showlegend=True,
        bargap=0.35,
        legend={"traceorder": "normal"},
    )
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
    colour, marks = colours(analysis), symbols(analysis)
    runs = analysis.runs
    each: dict[str, list[tuple[float, float, str]]] = {name: [] for name, _ in shown}
    if len(runs.framework) <= MOST_POINTS:
        for name, x, y, item, it in zip(
            runs.framework, runs.latency_s, runs.quality, runs.item, runs.iteration, strict=True
        ):
            if name in each and x is not None and y is not None:
                each[name].append((x, y, label(f"{item}, iteration {it}")))
    fig = go.Figure()
    outlined = {"line": {"width": 1.5, "color": "white"}}
    for name, f in shown:
        group = {"legendgroup": name, "mode": "markers", "name": label(f.title)}
        xs, ys, texts = ([entry[i] for entry in each[name]] for i in range(3))
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
        "Large marks are means, small ones runs. Up and to the left is better.",
        fig,
        height=480,
    )


def _gap(high: float | None, low: float | None) -> float:
    return high - low if high is not None and low is not None else 0.0
