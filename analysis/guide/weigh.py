"""Scores -> who is best, how surely, and who is not shown to be worse. The page's guide.js does the same.

A score is the weighted sum of a framework's logs on an item; the lowest is best. A rival drops out when the
leader's score is lower by a paired t test on items (two-sided, 5 %, Holm over the rivals) and by more than a
framework differs from itself. That leaves one: it is the choice if it is best in 90 % of resamples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.item_bootstrap import times_drawn
from analysis.mean_interval import t_interval
from analysis.result import SIGNIFICANCE_LEVEL

DRAWS = 400
"""So many that a probability's own standard error is at most 0.025."""
FEWEST_BEST = 0.9
"""Share of resamples in which a choice must be best."""


@dataclass(frozen=True)
class Weighed:
    """Of scores on items x frameworks, places being columns."""

    probability: np.ndarray
    """Share of resamples in which each is best, ties shared."""
    leader: int
    candidates: list[int]
    """The leader first, then by probability."""
    chosen: bool
    """Whether the leader is the only candidate, and best in enough resamples."""
    rival: int | None
    """Of the other candidates, or of all where there is none, the one that comes closest to the leader."""


def item_draws(n_items: int) -> np.ndarray:
    """DRAWS x n_items: how often each item is in each resample. Seeded."""
    return times_drawn(n_items, DRAWS)


def critical_t(n_items: int, n_frameworks: int) -> np.ndarray:
    """What the largest t of the leader's rivals must exceed, then the second, down to the last (Holm)."""
    family = np.arange(n_frameworks - 1, 0, -1)
    return np.asarray(stats.t.ppf(1 - SIGNIFICANCE_LEVEL / 2 / family, n_items - 1))


def weigh(scores: np.ndarray, draws: np.ndarray, noise: float | None) -> Weighed:
    """`scores`: items x frameworks, without gaps. `noise`: of a framework against itself, on their scale."""
    sums = draws @ scores
    best = sums == sums.min(axis=1, keepdims=True)
    probability = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    means = scores.mean(axis=0)
    leader = min(range(len(means)), key=lambda place: (means[place], -probability[place]))
    others = [place for place in range(len(means)) if place != leader]
    behind = scores[:, others] - scores[:, [leader]]
    worse = _worse(behind, critical_t(len(scores), len(means)), noise)
    kept = [place for place, out in zip(others, worse, strict=True) if not out]
    kept.sort(key=lambda place: (-probability[place], means[place]))
    rival = min(kept or others, key=lambda place: means[place], default=None)
    chosen = rival is not None and not kept and bool(probability[leader] >= FEWEST_BEST)
    if not kept and not chosen and rival is not None:
        kept = [rival]
    return Weighed(probability, leader, [leader, *kept], chosen=chosen, rival=rival)


def _worse(behind: np.ndarray, critical: np.ndarray, noise: float | None) -> np.ndarray:
    """Whether each rival is shown to be worse, from its differences to the leader on items."""
    mean = behind.mean(axis=0)
    error = behind.std(axis=0, ddof=1) / np.sqrt(len(behind))
    exact = np.where(mean > 0, np.inf, 0.0)
    t = np.divide(mean, error, out=exact, where=error > 0)
    order = np.argsort(-t, kind="stable")
    worse = np.zeros(len(t), dtype=bool)
    worse[order] = np.logical_and.accumulate(t[order] > critical)
    return np.asarray(worse & (mean > (noise or 0.0)))


def ratio_interval(behind: np.ndarray, scale: float) -> tuple[float, float, float]:
    """Ratio of two scores and its 95 % bounds, from the rival's differences on items: Student's t on logs."""
    (low,), (high,) = t_interval(behind[np.newaxis])
    ratio, lowest, highest = (float(np.exp(value / scale)) for value in (behind.mean(), low, high))
    return ratio, lowest, highest
