"""What people want of a framework, and what stands for it here. Whatever nothing measures has no metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from analysis.guide.result import MetricName, PriorityName


@dataclass(frozen=True)
class Wanted:
    name: PriorityName
    title: str
    asks: str
    weights: Mapping[MetricName, int] = field(default_factory=dict)
    """Score: the sum of weight times log. Empty where nothing recorded or gathered stands for it."""
    beside: tuple[MetricName, ...] = ()
    """Shown as evidence, without weight."""
    by_release: bool = False
    """Whether stated facts on releases part those whom no run parts."""


SLIDERS: Mapping[MetricName, int] = {
    "quality": 5,
    "latency_s": 5,
    "tokens": 5,
    "framework_s": 0,
    "new_texts": 0,
    "tries": 0,
    "start_s": 0,
    "installed_mb": 0,
}
"""Where the reader's weights stand at first, from 0 to 10: quality, latency and tokens alike."""

PRIORITIES = (
    Wanted(
        "fast_prototype",
        "Fast prototype",
        "Least to install and to wait for: start and import, installed size and packages brought along, "
        "alike. How quickly one writes code with it is not measured.",
        {"start_s": 1, "installed_mb": 1, "dependencies": 1},
    ),
    Wanted(
        "stability",
        "Stability",
        "Fewest runs that fail; where runs tell no difference, a final release from 1.0 on that is not "
        "declared alpha or beta.",
        {"tries": 1},
        by_release=True,
    ),
    Wanted("raw_speed", "Raw speed", "Shortest latency of a run.", {"latency_s": 1}, ("framework_s",)),
    Wanted("quality", "Best reports", "Highest scores by the judge.", {"quality": 1}),
    Wanted("token_cost", "Lowest token cost", "Fewest tokens of a run, input and output.", {"tokens": 1}),
    Wanted(
        "consistent_output",
        "Most consistent output",
        "Fewest new texts when a run is repeated on the same item.",
        {"new_texts": 1},
    ),
    Wanted(
        "ecosystem",
        "Ecosystem",
        "Integrations, documentation and community. Package metadata hold no measure of these: the releases "
        "and extras in the facts below say how much changes, not how good it is.",
    ),
)
SLIDER_TITLES: Mapping[MetricName, str] = {
    "quality": "Quality",
    "latency_s": "Short latency",
    "tokens": "Few tokens",
    "framework_s": "Little time of the framework's own",
    "new_texts": "Consistent output",
    "tries": "Few failed runs",
    "start_s": "Quick start and import",
    "installed_mb": "Small to install",
}
OWN = Wanted(
    "own_weights",
    "Your own weights",
    "Whatever weighs what the sliders say; at first quality, latency and tokens alike.",
    SLIDERS,
)
