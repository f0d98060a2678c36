"""A value with its interval over items, or the reason why it has none."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from analysis.item_bootstrap import item_interval
from analysis.mean_interval import FEWEST_ITEMS
from analysis.panel.result import Estimate


def estimate_over_items(
    items: Iterable[str], value: float, statistic: Callable[[np.ndarray], float]
) -> Estimate:
    """`statistic` of row positions, and its `value` on all rows; `items`: the item of each row."""
    rows = list(items)
    interval = item_interval(rows, statistic)
    if interval is not None:
        return Estimate(value=value, interval=interval)
    few = len(set(rows)) < FEWEST_ITEMS
    why = f"no interval below {FEWEST_ITEMS} items" if few else "no interval: it exists in too few resamples"
    return Estimate(value=value, reason=why)


def mean_over_items(items: Iterable[str], values: np.ndarray) -> Estimate:
    """Every row counts alike."""
    return estimate_over_items(items, float(values.mean()), lambda rows: float(values[rows].mean()))
