"""The difference of two frameworks, split into pattern and framework, and by where the time went.

All on item means of the items that both completed, so that no missing cell favours anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from analysis.compare import compared_runs
from analysis.mean_interval import FEWEST_ITEMS, t_interval
from analysis.noise_floor import COLUMNS, exceeds
from analysis.read_runs import Runs
from analysis.subjects import arms_of
from analysis.wire_result import Difference, Interval, Noise, NoiseFloor

STAGES = ("model_s", "tool_s", "gateway_s", "framework_s")
"""Columns of runs.csv that add up to `latency_s`."""


@dataclass(frozen=True)
class _Grid:
    """Means of one column, items x frameworks, NaN where a cell is missing."""

    usual: np.ndarray
    """In the arm that the total is of."""
    equalised: np.ndarray | None
    """None unless that is another arm."""


def measure_differences(runs: Runs, floor: NoiseFloor) -> list[Difference]:
    """Every pair of frameworks on every metric, where they share an item."""
    done = compared_runs(runs)
    if done.empty:
        return []
    arms = arms_of(done["arm"].unique())
    names = sorted(done["framework"].unique())
    # All columns of a million runs are many: only those that are used here.
    done = done[["arm", "item", "framework", *{*COLUMNS.values(), *STAGES}]]
    stages = _stage_grids(done[done["arm"] == arms[0]], _axes(done))
    found: list[Difference] = []
    for metric, column in COLUMNS.items():
        grid, noise = _grid(done, arms[0], column), floor.metrics.get(metric)
        for i, j in combinations(range(len(names)), 2):
            values = _split(grid, i, j, noise, stages if metric == "latency_s" else {})
            if values:
                found.append(Difference(a=names[i], b=names[j], metric=metric, arm=arms[0] or None, **values))
    return found


def _split(grid: _Grid, i: int, j: int, noise: Noise | None, stages: dict[str, np.ndarray]) -> dict[str, Any]:
    """The figures of one pair; empty when they share no item."""
    each = grid.usual[:, i] - grid.usual[:, j]
    use, equal = np.isfinite(each), None
    if grid.equalised is not None:
        same = grid.equalised[:, i] - grid.equalised[:, j]
        if (use & np.isfinite(same)).any():
            use &= np.isfinite(same)
            equal = same[use]
    if not use.any():
        return {}
    total = each[use]
    values: dict[str, Any] = {
        "n_items": len(total),
        "total": total.mean(),
        "total_interval": _interval(total),
        "noise": noise.mean_absolute if noise else None,
        "exceeds_noise": exceeds(float(total.mean()), noise),
    }
    if equal is not None:
        values |= {"framework": equal.mean(), "framework_interval": _interval(equal)}
        values |= {"pattern": total.mean() - equal.mean(), "pattern_interval": _interval(total - equal)}
    parts = {stage: (cells[:, i] - cells[:, j])[use].mean() for stage, cells in stages.items()}
    return values | (parts if np.isfinite(list(parts.values())).all() else {})


def _interval(values: np.ndarray) -> Interval | None:
    if len(values) < FEWEST_ITEMS:
        return None
    (low,), (high,) = t_interval(values[None, :])
    return Interval(low=low, high=high)


def _axes(done: pd.DataFrame) -> tuple[list[str], list[str]]:
    return sorted(done["item"].unique()), sorted(done["framework"].unique())


def _grid(done: pd.DataFrame, usual: str, column: str) -> _Grid:
    axes = _axes(done)
    equalised = done[done["arm"] == "equalised"]
    return _Grid(
        _cells(done[done["arm"] == usual].dropna(subset=[column]), column, axes),
        _cells(equalised.dropna(subset=[column]), column, axes)
        if usual != "equalised" and len(equalised)
        else None,
    )


def _stage_grids(rows: pd.DataFrame, axes: tuple[list[str], list[str]]) -> dict[str, np.ndarray]:
    timed = rows[rows["latency_s"].notna()].copy()
    # Records without their latency taken apart have no gateway time: it is in model and tool time.
    timed["gateway_s"] = timed["gateway_s"].where(timed["gateway_s"].notna() | timed["framework_s"].isna(), 0)
    return {stage: _cells(timed, stage, axes) for stage in STAGES}


def _cells(rows: pd.DataFrame, column: str, axes: tuple[list[str], list[str]]) -> np.ndarray:
    """NaN also where only some of a cell's runs have the value: sums of stages must stay exact."""
    grouped = rows.groupby(["item", "framework"])[column]
    means = grouped.mean().where(grouped.count() == grouped.size()).reset_index()
    table = means.pivot_table(index="item", columns="framework", values=column)
    items, frameworks = axes
    return table.reindex(index=items, columns=frameworks).to_numpy(dtype=float)
