"""The waterfall as the page holds it: compact data for the script, and a table for who has no script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.figure import label
from analysis.result import Analysis
from analysis.stages import STAGES
from analysis.tables import Cell, Table, number, plain_cells, titled
from analysis.waterfall import STEP, Row, Waterfall
from shared.latency import STAGES as FURTHEST_FIRST

MOST_TABULATED = 12
"""Frameworks whose first run is in the table."""


def stage_data() -> dict[str, Any]:
    """What all runs' bars refer to.

    `draw`: the order in which stages are drawn, so that the stage that is furthest on covers the others.
    """
    places = {stage.field.removesuffix("_s"): place for place, stage in enumerate(STAGES)}
    return {
        "stages": [{"name": stage.name, "marker": stage.marker} for stage in STAGES],
        "step": STEP,
        "draw": [places["framework"], *(places[name] for name in reversed(FURTHEST_FIRST) if name in places)],
    }


def run_bars(waterfall: Waterfall) -> dict[str, Any]:
    """A run's bars as [row, stage, start, length] in milliseconds."""
    return {
        "words": _words(waterfall),
        "rows": [[label(row.name), label(row.detail)] for row in waterfall.rows],
        "bars": [
            [place, bar.stage, round(bar.start_s * 1000, 2), round(bar.length_s * 1000, 2)]
            for place, row in enumerate(waterfall.rows)
            for bar in row.bars
        ],
    }


def _words(waterfall: Waterfall) -> str:
    rest = f"; the first calls, {waterfall.left_out} more are not drawn" if waterfall.left_out else ""
    return (
        f"{waterfall.title} on {waterfall.item}, iteration {waterfall.iteration}, {waterfall.status}: "
        f"{waterfall.seconds:.3f} s{rest}"
    )


def waterfall_table(analysis: Analysis, waterfalls: Sequence[Waterfall]) -> Table:
    """The first run of each framework."""
    firsts: dict[str, Waterfall] = {}
    for waterfall in waterfalls:
        firsts.setdefault(waterfall.subject, waterfall)
    shown = list(firsts.values())[:MOST_TABULATED]
    rows = []
    for waterfall in shown:
        f = analysis.frameworks.get(waterfall.subject)
        first = titled(waterfall.subject, f) if f else Cell(waterfall.title)
        rows += [[first, *plain_cells([waterfall.item, *_cells(row)])] for row in waterfall.rows]
    rest = f" The first {len(shown)} of {len(firsts)} frameworks." if len(firsts) > len(shown) else ""
    return Table(
        "waterfall",
        "The first run of each framework, step by step",
        ("Framework", "Item", "What", "Starts (s)", "Ends (s)", "Of it", "More"),
        rows,
        "Seconds from the call of the framework." + rest,
        frozenset({1, 2, 5, 6}),
    )


def _cells(row: Row) -> list[str]:
    stages: dict[str, float] = {}
    for bar in row.bars:
        if bar.stage != STEP:
            name = STAGES[bar.stage].name
            stages[name] = stages.get(name, 0.0) + bar.length_s
    of_it = ", ".join(f"{name} {number(length, 3, unit=' s')}" for name, length in stages.items())
    start = min((bar.start_s for bar in row.bars), default=None)
    end = max((bar.start_s + bar.length_s for bar in row.bars), default=None)
    return [row.name, number(start, 3), number(end, 3), of_it, row.detail]
