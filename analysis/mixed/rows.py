"""What a mixed model is fitted to: a mean per framework and item, and per node and judge where there are
several. Repeats of one cell are no new items, and copies of one text no new evidence; as one mean they count
once.
"""

from __future__ import annotations

import pandas as pd

from analysis.compare import RANK_DECIMALS, compared_runs
from analysis.noise_floor import COLUMNS
from analysis.panel.read_verdicts import Verdicts
from analysis.read_runs import Runs
from analysis.significance_result import Metric

CELL = ["subject", "item", "node", "judge"]


def cell_means(runs: Runs, verdicts: Verdicts, metric: Metric, arm: str) -> pd.DataFrame:
    """Columns subject, item, node, judge, value, and `repeats`: how many runs or verdicts went into it."""
    done = compared_runs(runs)
    done = done[done["arm"] == arm]
    if metric == "quality":
        rows = _scores(done, verdicts)
    else:
        rows = done.assign(value=done[COLUMNS[metric]], judge="")
    grouped = rows.dropna(subset=["value"]).groupby(CELL, sort=True, observed=True)["value"]
    means = grouped.agg(value="mean", repeats="size").reset_index().astype(dict.fromkeys(CELL, "str"))
    return means.assign(value=means["value"].round(RANK_DECIMALS))


def _scores(done: pd.DataFrame, verdicts: Verdicts) -> pd.DataFrame:
    """Each judge's mean score of each text, once per framework that wrote it."""
    scores = verdicts.own.groupby(["item", "text", "judge"], observed=True)["overall"].mean().reset_index()
    wrote = verdicts.runs[verdicts.runs["subject"].isin(done["subject"].unique())]
    wrote = wrote[["subject", "item", "text", "node"]].drop_duplicates()
    return wrote.merge(scores, on=["item", "text"]).rename(columns={"overall": "value"})
