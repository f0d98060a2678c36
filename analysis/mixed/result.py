"""The mixed model, as typed data: `Analysis.mixed`. Keys are public."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from analysis.result_model import Number, Result
from analysis.significance_result import Metric


class Effect(Result):
    """One framework less what it is held against, all else in the model being equal."""

    framework: str
    difference: float
    """In the metric's unit; of a model on the logarithm a ratio."""
    low: float
    high: float
    """95 % interval, Student's t."""


class VarianceComponent(Result):
    """On the model's scale."""

    source: Literal["item", "cell", "node", "judge", "residual"]
    """cell: what an item makes of a framework, where it can be told from the residual."""
    levels: int
    variance: float
    share: float


class Diagnostic(Result):
    """What to hold against the model; none is a refusal."""

    code: Literal[
        "same_as_floor",
        "component_at_zero",
        "few_levels",
        "residuals_not_normal",
        "heavy_tails",
        "unequal_spread",
        "influential_item",
        "unequal_repeats",
        "fit_warning",
    ]
    text: str
    evidence: dict[str, Any]


class MixedModel(Result):
    """Value = framework (fixed) + item + node + judge (random) + residual, by REML."""

    metric: Metric
    arm: str | None = None
    reason: str | None = None
    """Why there is no model; then nothing below is filled in but the counts."""
    rows: int = 0
    """Means that were modelled: one per framework and item (and node and judge, where there are several)."""
    items: int = 0
    frameworks: int = 0
    scale: Literal["linear", "log"] = "linear"
    scale_words: str = ""
    """Why this scale; empty where nothing was chosen."""
    against: str | None = None
    """The floor's framework; null: the mean of all frameworks."""
    degrees_of_freedom: Number = None
    effects: list[Effect] = Field(default_factory=list)
    components: list[VarianceComponent] = Field(default_factory=list)
    diagnostics: list[Diagnostic] = Field(default_factory=list)
