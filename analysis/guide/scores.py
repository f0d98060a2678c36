"""Item-level figures of the frameworks that compete, and which items and frameworks a question can use."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.guide.metrics import METRICS, item_values, logs_of
from analysis.guide.result import MetricName
from analysis.read_runs import Runs
from analysis.subjects import arms_of, twin_of
from shared.maturity import FrameworkFacts

FEWEST_SHARE = 0.5
"""Of the items, on which a framework needs a figure to take part: one rare success must not void the rest."""


@dataclass(frozen=True)
class Scores:
    """Everything of the one arm in which frameworks compete; rows are items, columns are frameworks."""

    arm: str | None
    frameworks: list[str]
    items: list[str]
    values: dict[MetricName, np.ndarray]
    """In the metric's unit, NaN where not known; only metrics that somebody has."""
    logs: dict[MetricName, np.ndarray]
    floor: dict[MetricName, np.ndarray]
    """By item, without any framework; empty where that did not run."""
    twins: dict[MetricName, np.ndarray]
    """Differences of logs of a framework under two names, one per item of each pair; NaN where not known."""
    failed: list[str] = field(default_factory=list)
    """Frameworks without any completed run."""


@dataclass(frozen=True)
class Selection:
    """What a question can be answered from: frameworks and items without a gap."""

    metrics: tuple[MetricName, ...]
    columns: list[int]
    rows: list[int]
    left_out: list[int]


def read_scores(runs: Runs, facts: Mapping[str, FrameworkFacts]) -> Scores:
    table = runs.table
    competing = table[table["role"] == "framework"]
    arms = arms_of(competing["arm"].unique())
    arm = str(arms[0]) if arms else ""
    here = table[table["arm"] == arm]
    mine = here[here["role"] == "framework"]
    done = set(mine.loc[mine["counted"], "framework"].unique())
    names = sorted(done)
    items = sorted(mine["item"].unique())
    values, logs, floor, twins = {}, {}, {}, {}
    known_names = runs.frameworks
    for metric in METRICS:
        cells = item_values(here, metric, facts).reindex(index=items)
        known = cells.reindex(columns=names)
        if not known.notna().to_numpy().any():
            continue
        values[metric] = known.to_numpy(dtype=float)
        logs[metric] = logs_of(known, metric)
        if "direct" in cells:
            floor[metric] = cells["direct"].to_numpy(dtype=float)
        twins[metric] = _twin_differences(cells, metric, known_names)
    failed = sorted(set(mine["framework"].unique()) - done)
    return Scores(arm or None, names, items, values, logs, floor, twins, failed)


def _twin_differences(cells: pd.DataFrame, metric: MetricName, known: Collection[str]) -> np.ndarray:
    found = [np.empty(0)]
    for name in cells.columns:
        first = twin_of(name, known)
        if first in cells.columns:
            both = logs_of(cells[[first, name]], metric)
            found.append(both[:, 1] - both[:, 0])
    return np.concatenate(found)


def select(scores: Scores, metrics: Sequence[MetricName], columns: Sequence[int] | None = None) -> Selection:
    """Frameworks that have every metric on enough items, and the items on which all of these have it."""
    wanted = tuple(metric for metric in metrics if metric in scores.logs)
    shape = (len(scores.items), len(scores.frameworks))
    known = np.ones(shape, dtype=bool) if wanted else np.zeros(shape, dtype=bool)
    for metric in wanted:
        known &= np.isfinite(scores.logs[metric])
    asked = list(range(shape[1])) if columns is None else list(columns)
    some = known[:, asked].any(axis=1)
    enough = max(1.0, FEWEST_SHARE * some.sum())
    taking = [place for place in asked if known[:, place].sum() >= enough]
    rows = np.flatnonzero(known[:, taking].all(axis=1)) if taking else np.empty(0, dtype=int)
    return Selection(wanted, taking, [int(row) for row in rows], [p for p in asked if p not in taking])


def weighted(scores: Scores, chosen: Selection, weights: Mapping[MetricName, float]) -> np.ndarray:
    """Items x frameworks of a selection: the sum of weight times log."""
    cells = np.ix_(chosen.rows, chosen.columns)
    total = np.zeros((len(chosen.rows), len(chosen.columns)))
    for metric in chosen.metrics:
        total += weights[metric] * scores.logs[metric][cells]
    return total


def twin_noise(scores: Scores, weights: Mapping[MetricName, float]) -> float | None:
    """Mean absolute difference that a framework has to itself, on the scale of `weighted`."""
    parts = [weight * scores.twins[metric] for metric, weight in weights.items() if metric in scores.twins]
    if not parts:
        return None
    apart = np.abs(np.sum(parts, axis=0))
    known = apart[np.isfinite(apart)]
    return float(known.mean()) if len(known) else None
