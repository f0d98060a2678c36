"""How large an experiment has to be, as typed data: `Analysis.planning` and `levelfield plan-size --json`.

Keys are public.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from analysis.result_model import Number, Result
from analysis.significance_result import Metric

Buy = Literal["items", "iterations", "judge_repeats"]


class PilotSize(Result):
    """What the pilot had, in the planned arm."""

    frameworks: int = 0
    items: int = 0
    runs: int = 0
    iterations: Number = None
    """Per framework and item, harmonic mean."""
    judge_repeats: Number = None
    """Verdicts per text, harmonic mean; null for latency and tokens."""
    mean: Number = None


class PilotVariance(Result):
    """Of one framework on one item, in squared units; null: the pilot cannot tell it."""

    interaction: Number = None
    """What an item makes of a framework; with `run` null it holds the run's part, too."""
    run: Number = None
    judge_noise: Number = None
    differing: Number = None
    """Share of the pairs of iterations of a cell whose reports differ: 0 when all are copies."""
    degrees_of_freedom: int = 0
    """Of the variance that the items are planned from."""


class UnitCost(Result):
    """Means over the pilot; null: not known."""

    run_node_s: Number = None
    """A run's latency on its node."""
    overhead_node_s: Number = None
    """What the node spends between two runs: starting processes, probes, judging meanwhile."""
    run_tokens: Number = None
    verdict_s: Number = None
    verdict_tokens: Number = None


class Design(Result):
    """One way to reach the wanted power, or what the pilot was."""

    items: int
    iterations: int
    judge_repeats: int | None
    """Null for latency and tokens: no judge has part in them."""
    power: float
    runs: int
    node_hours: Number = None
    """Of runs, with what the node spends between them."""
    judge_hours: Number = None
    """Of verdicts; on the same node when the judge is the model under test."""
    tokens: Number = None
    """Of runs and verdicts."""


class Purchase(Result):
    """One more of something, all else as in the pilot."""

    buy: Buy
    variance_less: float
    """By which share the variance of the mean difference falls."""
    hours: Number = None
    """Of nodes and judge."""
    gain_per_hour: Number = None
    """Fall of the variance's logarithm per hour; what is compared."""


class SizePlan(Result):
    metric: Metric
    arm: str | None = None
    reason: str | None = None
    """Why nothing can be planned; then only the pilot's size is filled in."""
    difference: Number = None
    """To be shown, in the metric's unit."""
    difference_share: Number = None
    """The same over the pilot's mean."""
    power: float = 0.8
    alpha: float = 0.05
    comparisons: int = 0
    """Pairs of frameworks: each is tested at alpha over this (Bonferroni; Holm's is never weaker)."""
    pilot: PilotSize = PilotSize()
    variance: PilotVariance = PilotVariance()
    cost: UnitCost = UnitCost()
    designs: list[Design] = Field(default_factory=list)
    """Cheapest first."""
    items_low: int | None = None
    items_high: int | None = None
    """95 % interval of the first design's items, from that of the pilot's variance; null: beyond reach."""
    pilot_power: Number = None
    """Of the pilot's own size for this difference."""
    pilot_shows: Number = None
    """The smallest difference that the pilot's own size shows with this power."""
    purchases: list[Purchase] = Field(default_factory=list)
    """The best first; empty where nothing can be said."""
    notes: list[str] = Field(default_factory=list)
