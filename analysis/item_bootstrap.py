"""Intervals of any statistic, with whole items drawn: rows on one item are not independent.

Percentile intervals, with tails that make up for few items (`mean_interval.expanded_tails`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from analysis.mean_interval import FEWEST_ITEMS, SEED, expanded_tails
from analysis.wire_result import Interval

RESAMPLES = 1_000
FEWEST_DEFINED = 0.9
"""Share of resamples in which the statistic must exist; with fewer, its spread is not known."""


def draw_items(n_items: int, resamples: int = RESAMPLES) -> np.ndarray:
    """Resamples x n_items: the items drawn, seeded."""
    return np.random.default_rng(SEED).integers(n_items, size=(resamples, n_items))


@cache
def times_drawn(n_items: int, resamples: int = RESAMPLES) -> np.ndarray:
    """The same as counts, resamples x n_items: how often each item is drawn."""
    return np.stack([np.bincount(drawn, minlength=n_items) for drawn in draw_items(n_items, resamples)])


def item_interval(items: Sequence[str], statistic: Callable[[np.ndarray], float]) -> Interval | None:
    """95 % interval of `statistic`, a function of row positions.

    Args:
        items: The item of each row.
        statistic: Gets the positions of the rows drawn; NaN where it does not exist.

    Returns:
        None below FEWEST_ITEMS items, or where the statistic is undefined in too many resamples.
    """
    names, place = np.unique(np.asarray(items, dtype=str), return_inverse=True)
    if len(names) < FEWEST_ITEMS:
        return None
    rows = [np.flatnonzero(place == number) for number in range(len(names))]
    drawn = draw_items(len(names))
    values = [statistic(np.concatenate([rows[i] for i in some])) for some in drawn]
    return percentile_interval(values, len(names))


def percentile_interval(values: Sequence[float], n_items: int) -> Interval | None:
    """`values`: the statistic of each resample, NaN where it does not exist; `n_items` were drawn from."""
    found = np.asarray(values, dtype=float)
    defined = found[np.isfinite(found)]
    if len(defined) < FEWEST_DEFINED * len(found):
        return None
    low, high = np.quantile(defined, expanded_tails(n_items))
    return Interval(low=low, high=high)
