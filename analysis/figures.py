"""All figures of the report, by id."""

from __future__ import annotations

from analysis.cost_figures import draw_latency, draw_quality_latency, draw_tokens
from analysis.drift_figure import draw_drift
from analysis.estimates.figure import draw_forests
from analysis.figure import Figure
from analysis.quality_figures import draw_distribution, draw_heat_map, draw_radar
from analysis.result import Analysis


def draw_figures(analysis: Analysis) -> dict[str, Figure]:
    """By id; a figure without data is left out."""
    if not analysis.replication.completed:
        return {}
    drawn = (
        draw_radar(analysis),
        draw_latency(analysis),
        draw_distribution(analysis),
        draw_tokens(analysis),
        draw_quality_latency(analysis),
        draw_heat_map(analysis),
        draw_drift(analysis),
        *draw_forests(analysis),
    )
    return {figure.id: figure for figure in drawn if figure}
