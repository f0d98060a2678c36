"""Figure of the model's speed over the experiment: runs in the order they were made, probes between them."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from analysis.figure import (
    MOST_MARKED,
    MOST_POINTS,
    PALETTE,
    SYMBOLS,
    Figure,
    colours,
    figure_of,
    label,
    symbols,
)
from analysis.result import Analysis
from analysis.wire_result import Drift, ProbeMark
from analysis.wording import plural

PROBE_COLOUR = "#B8A800"
BASIS = {
    "decode_s": "the time spent decoding",
    "model_s": "the time at the model",
    "latency_s": "the whole latency",
}


def draw_drift(analysis: Analysis) -> Figure | None:
    """None below two points: runs of which rate and order are known, and probes with a rate."""
    runs, drift = analysis.runs, analysis.drift
    places = [
        place
        for place, (order, rate) in enumerate(zip(runs.order, runs.decode_rate, strict=True))
        if order is not None and rate is not None
    ]
    probes = [mark for mark in drift.probes.marks if mark.tokens_per_s] if drift.probes else []
    if len(places) + len(probes) < 2:
        return None
    step = 1 + len(places) // MOST_POINTS
    drawn_in = step * runs.every
    fig = go.Figure()
    _add_runs(fig, analysis, places[::step])
    if probes:
        _add_probes(fig, probes[:: 1 + len(probes) // MOST_POINTS])
    fig.update_layout(
        xaxis={"title": {"text": "Runs in the order they were made"}},
        yaxis={"title": {"text": "Output tokens/s"}, "rangemode": "tozero"},
        showlegend=True,
        legend={"y": -0.3},
    )
    return figure_of(
        "drift",
        "The model's speed over the experiment",
        _description(drift, len(places) * runs.every, len(probes)),
        (f"Output tokens over {BASIS[drift.basis]}." if drift.basis else "No run's own speed is known.")
        + (" The line joins the probes, a small request before and after each block." if probes else "")
        + (f" One run in {drawn_in:,} is drawn." if drawn_in > 1 else ""),
        fig,
        # Room for the legend, which on a phone is a column.
        height=340 + 14 * min(len(analysis.frameworks), MOST_MARKED // 4),
    )


def _description(drift: Drift, runs: int, probes: int) -> str:
    words = f"Points of output tokens per second: {plural(runs, 'run')}"
    if runs and drift.slowest and drift.fastest:
        words += f" from {drift.slowest.tokens_per_s:.1f} to {drift.fastest.tokens_per_s:.1f}"
    words += f", and {plural(probes, 'probe')} between them"
    if probes and drift.probes:
        words += f" from {drift.probes.slowest:.1f} to {drift.probes.fastest:.1f}"
    return f"{words}."


def _add_runs(fig: go.Figure, analysis: Analysis, places: list[int]) -> None:
    runs, colour, marks = analysis.runs, colours(analysis.frameworks), symbols(analysis)
    groups: dict[str, list[int]] = {name: [] for name in analysis.frameworks}
    for place in places:
        groups[runs.framework[place]].append(place)
    if len(groups) > MOST_MARKED:
        groups = {"": places}
    for name, mine in groups.items():
        if not mine:
            continue
        fig.add_scatter(
            x=[runs.order[place] for place in mine],
            y=[runs.decode_rate[place] for place in mine],
            text=[label(f"{runs.item[place]}, iteration {runs.iteration[place]}") for place in mine],
            name=label(analysis.frameworks[name].title) if name else "Runs",
            mode="markers",
            marker={
                "color": colour.get(name, PALETTE[0]),
                "symbol": marks.get(name, SYMBOLS[0]),
                "size": 8,
                "opacity": 0.8,
            },
            hovertemplate="%{text}: %{y:.1f} tokens/s",
        )


def _add_probes(fig: go.Figure, probes: Sequence[ProbeMark]) -> None:
    fig.add_scatter(
        x=[mark.order for mark in probes],
        y=[mark.tokens_per_s for mark in probes],
        text=[label(f"{mark.when} {mark.block} on {mark.node}") for mark in probes],
        name="Probe",
        mode="lines+markers",
        line={"color": PROBE_COLOUR, "width": 1, "dash": "dot"},
        marker={"color": PROBE_COLOUR, "symbol": "diamond-tall-open", "size": 9},
        hovertemplate="%{text}: %{y:.1f} tokens/s",
    )
