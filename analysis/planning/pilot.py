"""What a pilot tells of variance and cost, in one arm and on one metric."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.compare import RANK_DECIMALS, compared_runs
from analysis.name_columns import has_report
from analysis.noise_floor import COLUMNS
from analysis.panel.read_verdicts import TEXT, Verdicts
from analysis.planning.result import PilotSize, PilotVariance, UnitCost
from analysis.read_runs import Runs
from analysis.significance_result import Metric
from analysis.variance.components import Within, within_variance

CELL = ["item", "subject"]


@dataclass(frozen=True)
class Pilot:
    """`reason`: why its variance says nothing; empty when it does."""

    metric: Metric
    size: PilotSize
    variance: PilotVariance
    cost: UnitCost
    reason: str = ""


def read_pilots(runs: Runs, verdicts: Verdicts, metrics: Iterable[Metric], arm: str) -> list[Pilot]:
    """What one arm's runs are a pilot of, metric by metric."""
    done = compared_runs(runs)
    done = done[done["arm"] == arm]
    cost = _cost(done, verdicts)
    return [_read_pilot(done, verdicts, metric, cost) for metric in metrics]


def _read_pilot(done: pd.DataFrame, verdicts: Verdicts, metric: Metric, cost: UnitCost) -> Pilot:
    rows = _rows(done, verdicts, metric)
    cells = rows.groupby(CELL, as_index=False).agg(value=("value", "mean"), runs=("value", "size"))
    own = verdicts.own_of(verdicts.main)
    size = PilotSize(
        frameworks=cells["subject"].nunique(),
        items=cells["item"].nunique(),
        runs=len(rows),
        iterations=_harmonic(cells["runs"]) if len(cells) else None,
        judge_repeats=_harmonic(rows["verdicts"]) if metric == "quality" and len(rows) else None,
        mean=rows["value"].mean() if len(rows) else None,
    )
    if reason := _refusal(cells):
        return Pilot(metric, size, PilotVariance(), cost, reason)
    noise = _noise(own) if metric == "quality" else None
    return Pilot(metric, size, _variance(rows, cells, size, noise), cost)


def _rows(done: pd.DataFrame, verdicts: Verdicts, metric: Metric) -> pd.DataFrame:
    """A row per run: item, subject, text, whether it is known, node, value, number of verdicts behind it."""
    rows = done[["item", "subject", "node"]].assign(
        text=done["report_digest"], known=has_report(done), value=done[COLUMNS[metric]], verdicts=1
    )
    if metric == "quality":
        own = verdicts.own_of(verdicts.main)
        scores = own.groupby(TEXT)["overall"].agg(["mean", "size"])
        known = scores.reindex(pd.MultiIndex.from_frame(rows[TEXT]))
        means = known["mean"].to_numpy(dtype=float)
        rows = rows.assign(
            # A text that the verdicts do not name keeps the run's own score.
            value=np.where(np.isfinite(means), means, rows["value"]),
            verdicts=known["size"].fillna(1).to_numpy(dtype=float),
        )
    rows = rows.dropna(subset=["value"])
    return rows.assign(
        value=rows["value"].round(RANK_DECIMALS),
        cell=rows.groupby(CELL).ngroup(),
    )


def _refusal(cells: pd.DataFrame) -> str:
    if cells["subject"].nunique() < 2:
        return "fewer than two frameworks have values"
    frameworks = cells.groupby("item")["subject"].nunique()
    if (frameworks >= 2).sum() < 2:
        return "fewer than two items have values of two frameworks, so what items make of them is not known"
    return ""


def _noise(own: pd.DataFrame) -> Within | None:
    """Of the judge whose scores are the quality, between verdicts on one text."""
    rows = own.assign(value=own["overall"], report=own.groupby(TEXT).ngroup(), one=0)
    return within_variance(rows, "report", "one")


def _variance(
    rows: pd.DataFrame, cells: pd.DataFrame, size: PilotSize, noise: Within | None
) -> PilotVariance:
    """Mean squares, solved for the components: negative ones become 0.

    A cell's mean has interaction + run / K + noise / R (pi / K + 1 - pi), with K runs, R verdicts per text
    and pi the share of pairs of runs whose texts differ: runs of one text share their verdicts.
    """
    iterations, repeats = size.iterations or 1.0, size.judge_repeats or 1.0
    between = within_variance(cells, *CELL)
    runs = within_variance(rows, "cell", "node")
    differing = _differing(rows)
    of_judge = noise.variance / repeats if noise else 0.0
    apart = 1.0 if differing is None else differing
    run = None if runs is None else max(0.0, runs.variance - apart * of_judge)
    whole = between.variance if between else 0.0
    rest = whole - (run or 0.0) / iterations - of_judge * (apart / iterations + 1 - apart)
    return PilotVariance(
        interaction=max(0.0, rest),
        run=run,
        judge_noise=noise.variance if noise else None,
        differing=differing,
        degrees_of_freedom=between.free if between else 0,
    )


def _differing(rows: pd.DataFrame) -> float | None:
    """None where no cell has two runs whose reports are known."""
    known = rows[rows["known"]]
    n = known.groupby("cell").size()
    same = known.groupby(["cell", "text"]).size()
    pairs = float((n * (n - 1)).sum())
    return 1 - float((same * (same - 1)).sum()) / pairs if pairs else None


def _cost(done: pd.DataFrame, verdicts: Verdicts) -> UnitCost:
    own = [v for v in verdicts.records if v.judge == verdicts.main and v.same_text_as is None]
    attempts = [attempt for verdict in own for attempt in verdict.attempts]
    tokens = [(a.prompt_tokens or 0) + (a.completion_tokens or 0) for a in attempts if a.prompt_tokens]
    return UnitCost(
        run_node_s=done["latency_s"].mean(),
        overhead_node_s=_overhead(done),
        run_tokens=done["total_tokens"].mean(),
        verdict_s=sum(a.seconds for a in attempts) / len(own) if own else None,
        verdict_tokens=sum(tokens) / len(own) if tokens else None,
    )


def _overhead(done: pd.DataFrame) -> float | None:
    """Mean seconds from a run's end to the next one's start on its node.

    A gap longer than the longest run was a pause between sessions, and is left out.
    """
    known = (done["started_at"] != "") & done["latency_s"].notna()
    timed = done.loc[known, ["node", "started_at", "latency_s"]]
    starts = pd.to_datetime(timed["started_at"], errors="coerce", utc=True)
    timed = timed.assign(start=(starts - starts.min()).dt.total_seconds()).dropna(subset=["start"])
    timed = timed.sort_values("start", kind="stable")
    gaps = []
    for _, rows in timed.groupby("node"):
        start, latency = rows["start"].to_numpy(), rows["latency_s"].to_numpy()
        gaps.append(start[1:] - start[:-1] - latency[:-1])
    every = np.concatenate(gaps) if gaps else np.array([])
    usual = every[(every >= 0) & (every <= timed["latency_s"].max())] if len(every) else every
    return float(usual.mean()) if len(usual) else None


def _harmonic(counts: pd.Series) -> float:
    return float(len(counts) / (1 / counts).sum())
