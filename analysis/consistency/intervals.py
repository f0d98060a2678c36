"""95 % intervals of what is a mean, or a root of a ratio, over items: whole items are drawn."""

from __future__ import annotations

import numpy as np

from analysis.item_bootstrap import draw_items, percentile_interval
from analysis.mean_interval import FEWEST_ITEMS
from analysis.wire_result import Interval

TAIL = 0.025


def mean_interval(values: np.ndarray) -> Interval | None:
    """Of the mean of one share per item; none below FEWEST_ITEMS items.

    Where all are 0 or all are 1 every resample is the same, which is no certainty: then Clopper and
    Pearson's, with an item as one observation. Where all are one share between, resampling cannot tell: none.
    """
    n = len(values)
    if n < FEWEST_ITEMS:
        return None
    if np.ptp(values) == 0:
        bound = TAIL ** (1 / n)
        return {1.0: Interval(low=bound, high=1), 0.0: Interval(low=0, high=1 - bound)}.get(float(values[0]))
    return percentile_interval(list(values[draw_items(n)].mean(axis=1)), n)


def root_ratio_interval(above: np.ndarray, below: np.ndarray) -> Interval | None:
    """Of sqrt(sum above / sum below), both per item."""
    if len(above) < FEWEST_ITEMS:
        return None
    drawn = draw_items(len(above))
    roots = np.sqrt(above[drawn].sum(axis=1) / below[drawn].sum(axis=1))
    return percentile_interval(list(roots), len(above))
