"""Figure of the model's speed over the experiment: runs in the order they were made, probes between them."""

from __future__ import annotations

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

PROBE_COLOUR = "#B8A800"
BASIS = {
    "decode_s": "the time spent decoding",
    "model_s": "the time at the model",
    "latency_s": "the whole latency",
}


def draw_drift(analysis: Analysis) -> Figure | None:
    """None below two runs of which rate and order are known."""
    drift, runs = analysis.drift, analysis.runs
    places = [
        place
        for place, (order, rate) in enumerate(zip(runs.order, runs.decode_rate, strict=True))
        if order is not None and rate is not None
    ]
    if len(places) < 2 or drift.slowest is None or drift.fastest is None or drift.basis is None:
        return None
    fig = go.Figure()
    step = 1 + len(places) // MOST_POINTS
    _add_runs(fig, analysis, places[::step])
    _add_probes(fig, analysis)
    fig.update_layout(
        xaxis={"title": {"text": "Runs in the order they were made"}},
        yaxis={"title": {"text": "Output tokens per second"}, "rangemode": "tozero"},
        legend={"y": -0.3},
    )
    ends = f"from {drift.slowest.tokens_per_s:.1f} to {drift.fastest.tokens_per_s:.1f} tokens/s"
    probes = drift.probes
    marked = f", and {probes.n} probes between them" if probes else "; no probes were made"
    return figure_of(
        "drift",
        "The model's speed over the experiment",
        f"Points of decode rate, a run each, {ends}{marked}.",
        f"Output tokens over {BASIS[drift.basis]}."
        + (
            " The line joins the probes, the same small request before and after each block."
            if probes
            else ""
        )
        + (f" One run in {step} is drawn." if step > 1 else ""),
        fig,
        height=340,
    )


def _add_runs(fig: go.Figure, analysis: Analysis, places: list[int]) -> None:
    runs, colour, marks = analysis.runs, colours(analysis), symbols(analysis)
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


def _add_probes(fig: go.Figure, analysis: Analysis) -> None:
    probes = analysis.drift.probes
    if probes is None:
        return
    answered = [mark for mark in probes.marks if mark.tokens_per_s is not None]
    answered = answered[:: 1 + len(answered) // MOST_POINTS]
    fig.add_scatter(
        x=[mark.order for mark in answered],
        y=[mark.tokens_per_s for mark in answered],
        text=[label(f"{mark.when} {mark.block} on {mark.node}") for mark in answered],
        name="Probe",
        mode="lines+markers",
        line={"color": PROBE_COLOUR, "width": 1, "dash": "dot"},
        marker={"color": PROBE_COLOUR, "symbol": "diamond-tall-open", "size": 9},
        hovertemplate="%{text}: %{y:.1f} tokens/s",
    )
