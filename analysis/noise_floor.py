"""What differs between a framework and itself: the floor that every other difference is held against."""

from __future__ import annotations

import pandas as pd

from analysis.read_runs import Runs
from analysis.subjects import twin_of
from analysis.wire_result import DifferenceMetric, Noise, NoiseFloor, TwinPair

COLUMNS: dict[DifferenceMetric, str] = {
    "quality": "overall",
    "latency_s": "latency_s",
    "framework_s": "framework_s",
    "tokens": "total_tokens",
}
DUST = 9
"""Decimals: equal means can differ in their last bits by the order of addition."""


def item_means(done: pd.DataFrame, column: str) -> pd.DataFrame:
    """A row per item, a column per subject; repeats of an item are averaged, missing cells stay empty."""
    known = done[["item", "subject", column]].dropna(subset=[column])
    return known.pivot_table(index="item", columns="subject", values=column, aggfunc="mean")


def measure_noise(runs: Runs) -> NoiseFloor:
    """Scripted frameworks are left out: without a model they have other noise."""
    twins = _twins(runs)
    if not twins:
        return NoiseFloor()
    apart: dict[tuple[str, str], dict[DifferenceMetric, pd.Series]] = {}
    for metric, column in COLUMNS.items():
        means = item_means(runs.answered, column)
        for a, b in twins:
            if a in means and b in means and len(each := (means[a] - means[b]).abs().dropna()):
                apart.setdefault((a, b), {})[metric] = each
    return NoiseFloor(
        pairs=[
            TwinPair(a=a, b=b, metrics={metric: _noise([each]) for metric, each in found.items()})
            for (a, b), found in apart.items()
        ],
        metrics={
            metric: _noise(known)
            for metric in COLUMNS
            if (known := [found[metric] for found in apart.values() if metric in found])
        },
    )


def exceeds(difference: float, noise: Noise | None) -> bool | None:
    """Larger than the mean that the A/A differences would have if all had one sign, the largest they can."""
    return None if noise is None else round(abs(difference) - noise.mean_absolute, DUST) > 0


def _twins(runs: Runs) -> list[tuple[str, str]]:
    """Subjects, each with its second name, in the same arm."""
    found = []
    names = ["framework", "arm", "subject"]
    for name, arm, subject in runs.answered[names].drop_duplicates().sort_values(names).to_numpy():
        first = twin_of(str(name), runs.frameworks)
        if first:
            found.append((runs.naming.subject(first, str(arm)), str(subject)))
    return found


def _noise(by_pair: list[pd.Series]) -> Noise:
    """Each item of each pair counts once."""
    each = pd.concat(by_pair, ignore_index=True)
    return Noise(mean_absolute=float(each.mean()), largest=float(each.max()), n_items=len(each))
