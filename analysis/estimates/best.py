"""How likely each framework is the best: how often it is when the items had weighed otherwise.

Each draw weighs the items' deviations at random and the same for every framework, so what frameworks have in
common on an item cancels. The draws spread as Student's t does: with few items the plain bootstrap over items
is too sure of the first one (docs/statistics.md has both measured).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.mean_interval import FEWEST_ITEMS

Values = NDArray[np.float64]
DRAWS = 4_000
SEED = 7
DUST = 9
"""Decimals: equal means can differ in their last bits."""


def chances_of_best(means: Values, *, higher: bool) -> Values | None:
    """Share of the draws in which each framework's mean is best; those level with it share the draw.

    Args:
        means: Items x frameworks, all known.
        higher: Whether more is better.

    Returns:
        One share per framework, 1 in all; None below FEWEST_ITEMS items.
    """
    items, frameworks = means.shape
    if items < FEWEST_ITEMS or not frameworks:
        return None
    drawn = (means.mean(axis=0) + _deviations(means)).round(DUST)
    ends = drawn.max(axis=1) if higher else drawn.min(axis=1)
    first = drawn == ends[:, None]
    shares: Values = (first / first.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


def _deviations(means: Values) -> Values:
    """Draws x frameworks: each its standard error times a t of items - 1, with what they share by item."""
    items = len(means)
    # Normal weights of all items add up to normal weights of the rows of R, which are far fewer.
    spread = np.linalg.qr(means - means.mean(axis=0), mode="r") / np.sqrt(items * (items - 1))
    noise = np.random.default_rng(SEED)
    normal = noise.normal(size=(DRAWS, len(spread))) @ spread
    wide: Values = normal * np.sqrt((items - 1) / noise.chisquare(items - 1, size=DRAWS))[:, None]
    return wide
