"""Do frameworks differ? The classic tests: omnibus, also in kinds that repeats cannot inflate, and pairs.

What decides between two frameworks is in `analysis.estimates`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from analysis.friedman_permutation import MOST_ITEMS, SAMPLED, permutation_p
from analysis.noise_floor import COLUMNS, exceeds
from analysis.read_runs import Runs
from analysis.result import SIGNIFICANCE_LEVEL
from analysis.significance_result import METRICS, MannWhitney, Metric, Omnibus, Pair, Significance
from analysis.subjects import arms_of
from analysis.wire_result import Noise, NoiseFloor

# Means of equal scores can differ in the last bits by the order of addition; ranks must not see that.
RANK_DECIMALS = 9
MOST_VALUES = 1_000_000
"""Ranked at once: 8 MB a copy."""


def compared_runs(runs: Runs) -> pd.DataFrame:
    """Completed runs that a model answered, without second names: those compete with nobody."""
    answered = runs.answered
    second = answered["role"] == "twin"
    return answered[~second] if second.any() else answered


def usual_rows(done: pd.DataFrame) -> pd.DataFrame:
    """Those of the arm that is spoken of where nothing else is said: across arms, patterns are compared."""
    arms = arms_of(done["arm"].unique())
    return done[done["arm"] == arms[0]] if arms else done


def compare_frameworks(runs: Runs) -> dict[Metric, Omnibus]:
    """In the usual arm."""
    done = usual_rows(compared_runs(runs))
    return {metric: _omnibus(done, COLUMNS[metric]) for metric in METRICS}


def _omnibus(done: pd.DataFrame, column: str) -> Omnibus:
    known = done[["subject", "item", column]].dropna(subset=[column])
    by_run = [values.to_numpy() for _, values in known.groupby("subject", sort=True)[column]]
    means = known.pivot_table(index="item", columns="subject", values=column, aggfunc="mean").round(
        RANK_DECIMALS
    )
    by_item = [means[subject].dropna().to_numpy() for subject in means.columns]
    rows_test, items_test = kruskal_wallis(by_run), kruskal_wallis(by_item)
    blocked = friedman(means)
    return Omnibus(
        kruskal_wallis=rows_test,
        kruskal_wallis_item_means=items_test,
        friedman=blocked,
        friedman_permutation=friedman_orders(means, blocked),
        verdict=_verdict(rows_test, items_test, blocked, items=len(means)),
    )


def _verdict(
    by_run: Significance, by_item: Significance, blocked: Significance, items: int
) -> Literal["shown", "tests_disagree", "only_if_repeats_count", "not_shown", "cannot_tell"]:
    """Friedman decides where it can be computed: it compares like with like, item by item."""
    decisive = blocked if blocked.p is not None else by_item
    if decisive.p is None or items < 2:
        return "cannot_tell"
    if decisive.p < SIGNIFICANCE_LEVEL:
        return "shown"
    if by_item.p is not None and by_item.p < SIGNIFICANCE_LEVEL:
        return "tests_disagree"
    return "only_if_repeats_count" if by_run.p is not None and by_run.p < SIGNIFICANCE_LEVEL else "not_shown"


def kruskal_wallis(groups: list[np.ndarray]) -> Significance:
    groups = [group for group in groups if len(group)]
    if len(groups) < 2:
        return Significance(reason="fewer than two frameworks have values")
    if sum(map(len, groups)) <= len(groups):
        return Significance(reason="one value per framework: nothing to compare the differences with")
    if len(np.unique(np.concatenate(groups))) == 1:
        return Significance(statistic=0.0, p=1.0, reason="all values are identical")
    result = stats.kruskal(*groups)
    return Significance(statistic=result.statistic, p=result.pvalue)


def friedman(means: pd.DataFrame) -> Significance:
    """Items are the blocks; only items that every framework completed take part."""
    whole = means.dropna()
    if whole.shape[1] < 3:
        return Significance(reason="fewer than three frameworks")
    if len(whole) < 2:
        return Significance(reason="fewer than two items that every framework completed")
    if whole.nunique(axis=1).eq(1).all():
        return Significance(statistic=0.0, p=1.0, reason="all values are identical within each item")
    result = stats.friedmanchisquare(*(whole[subject].to_numpy() for subject in whole.columns))
    return Significance(statistic=result.statistic, p=result.pvalue)


def friedman_orders(means: pd.DataFrame, blocked: Significance) -> Significance:
    """The same by counting orders, where items are few; only where Friedman's test itself is possible."""
    if blocked.p is None:
        return Significance(reason=blocked.reason)
    found = permutation_p(means.dropna().rank(axis=1).to_numpy())
    if found is None:
        return Significance(reason=f"more than {MOST_ITEMS} items, where the approximation serves")
    p, orders = found
    return Significance(
        statistic=blocked.statistic,
        p=p,
        reason=f"exact, over {orders:,} orders" if orders else f"over a sample of {SAMPLED:,} orders",
    )


def compare_pairs(runs: Runs, floor: NoiseFloor) -> list[Pair]:
    """All pairs of an arm on each metric; Bonferroni counts the pairs of one metric in one arm."""
    done = compared_runs(runs)
    return [
        pair
        for metric in METRICS
        for arm in arms_of(done["arm"].unique())
        for pair in _pairs(done[done["arm"] == arm], metric, floor)
    ]


def _pairs(done: pd.DataFrame, metric: Metric, floor: NoiseFloor) -> list[Pair]:
    values = {
        str(subject): known.dropna().to_numpy()
        for subject, known in done.groupby("subject", sort=True)[COLUMNS[metric]]
    }
    names = list(combinations([name for name, known in values.items() if len(known)], 2))
    tested = mann_whitney([(values[a], values[b]) for a, b in names])
    noise = floor.metrics.get(metric)
    return [_pair(both, metric, values, found, noise) for both, found in zip(names, tested, strict=True)]


def _pair(
    names: tuple[str, str],
    metric: Metric,
    values: dict[str, np.ndarray],
    tested: MannWhitney,
    noise: Noise | None,
) -> Pair:
    a, b = names
    difference = float(values[a].mean() - values[b].mean())
    return Pair(
        a=a,
        b=b,
        metric=metric,
        n_a=len(values[a]),
        n_b=len(values[b]),
        mean_difference=difference,
        mann_whitney=tested,
        significant=tested.p_bonferroni is not None and tested.p_bonferroni < SIGNIFICANCE_LEVEL,
        noise=noise.mean_absolute if noise else None,
        exceeds_noise=exceeds(difference, noise),
    )


def mann_whitney(pairs: list[tuple[np.ndarray, np.ndarray]]) -> list[MannWhitney]:
    """One family of two-sided tests, Bonferroni over all of them.

    Exact for small samples without ties, else normal with continuity correction. Pairs of one shape go to
    scipy in one call: 200 frameworks make 19,900 pairs.
    """
    tested: dict[int, MannWhitney] = {}
    shapes: dict[tuple[int, int, bool], list[int]] = {}
    for place, (x, y) in enumerate(pairs):
        distinct = len(np.unique(np.concatenate([x, y])))
        if distinct == 1:
            tested[place] = MannWhitney(
                u=len(x) * len(y) / 2, p=1.0, p_bonferroni=1.0, r=0.0, rank_biserial=0.0
            )
        else:
            shapes.setdefault((len(x), len(y), distinct < len(x) + len(y)), []).append(place)
    for (n_a, n_b, _), places in _in_parts(shapes):
        xs, ys = (np.array([pairs[place][side] for place in places]) for side in (0, 1))
        us, ps = stats.mannwhitneyu(xs, ys, alternative="two-sided", method="auto", axis=1)
        for place, u, p in zip(places, us, ps, strict=True):
            z = stats.norm.isf(p / 2) if p > 0 else _z_of(*pairs[place], u)
            r = z / math.sqrt(n_a + n_b)
            corrected, biserial = min(1.0, p * len(pairs)), 2 * u / (n_a * n_b) - 1
            tested[place] = MannWhitney(u=u, p=p, p_bonferroni=corrected, r=r, rank_biserial=biserial)
    return [tested[place] for place in range(len(pairs))]


def _in_parts(
    shapes: dict[tuple[int, int, bool], list[int]],
) -> Iterator[tuple[tuple[int, int, bool], list[int]]]:
    """Ranking takes several times the memory of its values: long samples go in few pairs at a time."""
    for shape, places in shapes.items():
        at_once = max(1, MOST_VALUES // (shape[0] + shape[1]))
        for start in range(0, len(places), at_once):
            yield shape, places[start : start + at_once]


def _z_of(x: np.ndarray, y: np.ndarray, u: float) -> float:
    """The normal approximation's z, for a p too small for a float (thousands of runs, clearly apart)."""
    ties = stats.tiecorrect(stats.rankdata(np.concatenate([x, y])))
    sigma = math.sqrt(ties * len(x) * len(y) * (len(x) + len(y) + 1) / 12)
    return float((abs(u - len(x) * len(y) / 2) - 0.5) / sigma)
