"""One figure of the report: plotly data without the page's colours, which follow the reader's theme."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import plotly.graph_objects as go

from analysis.result import Analysis, FrameworkResult

# Okabe and Ito's palette for all kinds of colour vision (jfly.uni-koeln.de/color). Its yellow, too faint on
# white, is darkened and comes last.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#B8A800")
FLOOR_COLOUR = "#7A7F87"
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")
MOST_POINTS = 2_000
"""Above this many runs single points say less than the boxes, and cost the browser more."""
MOST_MARKED = 40
"""More frameworks than that no reader tells apart by mark and colour."""


@dataclass(frozen=True)
class Figure:
    id: str
    title: str
    description: str
    """What the figure shows, for those who do not see it."""
    caption: str
    height: int
    content: dict[str, Any]


def colours(frameworks: Mapping[str, FrameworkResult]) -> dict[str, str]:
    """A second name has the colour of its first."""
    palette = cycle(PALETTE)
    own = {
        name: FLOOR_COLOUR if f.role == "floor" else next(palette)
        for name, f in frameworks.items()
        if f.twin_of not in frameworks
    }
    return {name: own[f.twin_of if f.twin_of in own else name] for name, f in frameworks.items()}


def symbols(analysis: Analysis) -> dict[str, str]:
    """One mark per framework in every figure, so that colour is never the only sign."""
    return dict(zip(analysis.frameworks, cycle(SYMBOLS), strict=False))


def label(text: str) -> str:
    """Plotly reads a little HTML in its labels: names must not be read as such."""
    return html.escape(text, quote=False)


def figure_of(
    figure_id: str, title: str, description: str, caption: str, fig: go.Figure, *, height: int
) -> Figure:
    fig.layout.template = None
    return Figure(figure_id, title, description, caption, height, json.loads(fig.to_json(validate=False)))


def framework_results_with(analysis: Analysis, field: str) -> list[tuple[str, FrameworkResult]]:
    return [(name, f) for name, f in analysis.frameworks.items() if getattr(f, field) is not None]


def bar_height(rows: int) -> int:
    return 130 + 46 * rows
