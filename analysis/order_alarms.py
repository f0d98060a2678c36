"""Where a difference between frameworks could be one of when or where they ran."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp, factorial, lgamma

import pandas as pd
from scipy import stats

from analysis.alarm import alarm
from analysis.drift import order_of_runs
from analysis.read_runs import Runs
from analysis.result import Alarm
from analysis.wording import p_text

ORDER_P = 0.001
NODE_P = 0.01
"""Blocks stay on one node, so a whole experiment of ours has no association at all."""


def order_alarms(runs: Runs) -> Iterator[Alarm]:
    done = runs.answered.assign(order=order_of_runs(runs.table)).sort_values("order")
    yield from _order(runs, done.dropna(subset=["order"]))
    yield from _node(runs, done[done["node"] != ""])


def _order(runs: Runs, done: pd.DataFrame) -> Iterator[Alarm]:
    stages, within = p_of_stages(done), p_within_blocks(done)
    worst = min(p for p in (stages, within, 1.0) if p is not None)
    if worst >= ORDER_P:
        return
    late = stages is not None and stages == worst
    means = done.groupby("subject")["order"].mean().sort_values()
    first, last = str(means.index[0]), str(means.index[-1])
    words = (
        f"The frameworks ran at different stages of the experiment ({runs.title(first)} at place "
        f"{means.iloc[0]:.0f} on average, {runs.title(last)} at {means.iloc[-1]:.0f})"
        if late
        else "The frameworks ran in much the same order in each block of one item and iteration"
    )
    yield alarm(
        "order_confounded",
        "high",
        f"{words}; under a random order {p_text(worst)}. Drift of the machine counts as a difference between "
        "frameworks.",
        kind="stages" if late else "within_blocks",
        p=worst,
        p_stages=stages,
        p_within_blocks=within,
        mean_place={str(subject): float(mean) for subject, mean in means.items()},
    )


def p_of_stages(done: pd.DataFrame) -> float | None:
    """Of such different places under a random order.

    Args:
        done: Columns subject and order, sorted by order.

    Returns:
        By Kruskal and Wallis; but where each framework's runs are one unbroken stretch, the exact chance of
        that: for few runs the test cannot tell.
    """
    sizes = done.groupby("subject", sort=False).size()
    if len(sizes) < 2 or done["order"].nunique() < 2:
        return None
    stretches = int((done["subject"] != done["subject"].shift()).sum())
    if stretches == len(sizes):
        return exp(lgamma(len(sizes) + 1) + sum(lgamma(size + 1) for size in sizes) - lgamma(len(done) + 1))
    return float(stats.kruskal(*(rows["order"] for _, rows in done.groupby("subject"))).pvalue)


def p_within_blocks(done: pd.DataFrame) -> float | None:
    """Of such an association between framework and place in its block, under a random order in each.

    Returns:
        By Friedman on the places in whole blocks; but where all blocks have one and the same order, the exact
        chance of that.
    """
    places = done.pivot_table(index=["item", "iteration"], columns="subject", values="order").dropna()
    blocks, subjects = places.shape
    if blocks < 2 or subjects < 2:
        return None
    ranks = places.rank(axis=1)
    if (ranks.max() == ranks.min()).all():
        return float(1 / factorial(subjects)) ** (blocks - 1)
    if subjects == 2:
        first = int((ranks.iloc[:, 0] == 1).sum())
        return float(stats.binomtest(first, blocks).pvalue)
    return float(stats.friedmanchisquare(*(ranks[name] for name in ranks)).pvalue)


def _node(runs: Runs, done: pd.DataFrame) -> Iterator[Alarm]:
    counts = pd.crosstab(done["subject"], done["node"])
    if min(counts.shape) < 2:
        return
    p = float(stats.chi2_contingency(counts.to_numpy(), correction=False).pvalue)
    apart = bool(((counts > 0).sum(axis=0) == 1).all() and (counts.sum(axis=1) > 1).all())
    if p >= NODE_P and not apart:
        return
    share = counts.div(counts.sum(axis=0), axis=1).to_numpy()
    row, column = divmod(int(share.argmax()), share.shape[1])
    subject, node = str(counts.index[row]), str(counts.columns[column])
    yield alarm(
        "node_confounded",
        "high",
        f"The frameworks did not run on the same nodes alike (of the runs on {node}, "
        f"{share.max():.0%} were of {runs.title(subject)}): a difference between machines "
        "counts as one between frameworks.",
        p=p,
        runs={str(name): {str(k): int(v) for k, v in row.items()} for name, row in counts.iterrows()},
    )
