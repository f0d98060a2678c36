"""What the significance tests say; the keys are public."""

from __future__ import annotations

from typing import Literal

from analysis.result_model import Number, Result

Metric = Literal["quality", "latency_s", "tokens"]
METRICS: tuple[Metric, ...] = ("quality", "latency_s", "tokens")


class Significance(Result):
    """One significance test; where it cannot be computed, `reason` says why."""

    statistic: Number = None
    p: Number = None
    reason: str | None = None


class Omnibus(Result):
    """Do the frameworks differ at all on one metric, in the usual arm?"""

    kruskal_wallis: Significance
    """Every run counted as independent, as such tables are usually published."""
    kruskal_wallis_item_means: Significance
    """One value per framework and item: repeats of an item do not count as new evidence."""
    friedman: Significance
    """The same values, ranked inside each item."""
    friedman_permutation: Significance = Significance()
    """Its p over the orders of the ranks, not the chi-squared approximation; `reason` says over which."""
    verdict: Literal["shown", "tests_disagree", "only_if_repeats_count", "not_shown", "cannot_tell"]


class MannWhitney(Result):
    u: Number
    """U of `a`: how often a run of `a` is above one of `b`, ties counting one half."""
    p: Number
    p_bonferroni: Number
    r: Number
    """|z| / sqrt(n_a + n_b), z taken from p."""
    rank_biserial: Number
    """2u / (n_a n_b) - 1: from -1 (every run of `a` below every run of `b`) to 1."""


class Pair(Result):
    """Two subjects of one arm, every run counted as independent, as such tables are usually published."""

    a: str
    b: str
    metric: Metric
    n_a: int
    n_b: int
    mean_difference: Number
    """Mean of `a` minus mean of `b`, in the metric's own unit."""
    mann_whitney: MannWhitney
    significant: bool
    noise: Number = None
    """The noise floor of the metric; null when no framework ran against itself."""
    exceeds_noise: bool | None = None
