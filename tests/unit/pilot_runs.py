"""Runs of a pilot with a known truth, in memory: what the planner and the budgets of runs are tested on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.manifest import Manifest
from analysis.panel.read_verdicts import Verdicts
from analysis.read_runs import NAME_COLUMNS, Runs

from .panel_experiment import verdicts_of


def pilot(
    seed: int,
    *,
    items: int = 10,
    frameworks: int = 3,
    iterations: int = 2,
    repeats: int = 0,
    item: float = 1.0,
    interaction: float = 0.5,
    run: float = 0.5,
    noise: float = 0.0,
    mean: float = 20.0,
    copies: bool = False,
    **more: Any,
) -> tuple[Runs, Verdicts]:
    """Each effect normal with this deviation. latency_s and tokens are the same value; so is quality with
    `repeats` verdicts per text, each with the judge's noise. `copies`: all iterations write one text.
    """
    normal = np.random.default_rng(seed).normal
    i, f, k = (
        a.ravel() for a in np.meshgrid(range(items), range(frameworks), range(iterations), indexing="ij")
    )
    cell = i * frameworks + f
    own = normal(0, run, len(i))
    value = mean + normal(0, item, items)[i] + normal(0, interaction, items * frameworks)[cell]
    value = value + (0 if copies else own)
    text = [f"{c}" if copies else f"{c}-{n}" for c, n in zip(cell, k, strict=True)]
    subject = [f"f{n:03}" for n in f]
    rows = pd.DataFrame({
        "framework": subject, "subject": subject, "arm": "idiomatic", "item": [f"i{n:04}" for n in i],
        "iteration": k + 1, "node": "n1", "report_digest": text, "latency_s": value, "total_tokens": value,
        "overall": value, "started_at": "", "role": "framework", "counted": True, "judge": "j1",
    } | more)  # fmt: skip
    if copies:
        rows["latency_s"] = value + own
    verdicts = [
        {"judge": "j1", "subject": row.subject, "item": row.item, "text": row.report_digest, "repeat": r,
         "overall": row.overall + normal(0, noise)}
        for row in rows.drop_duplicates("report_digest").itertuples() for r in range(1, repeats + 1)
    ]  # fmt: skip
    names = [name for name in (*NAME_COLUMNS, "subject", "role") if name in rows]
    rows = rows.astype(dict.fromkeys(names, "category"))
    runs = Runs(table=rows, present=frozenset(rows.columns), manifest=Manifest(), experiment="pilot")
    return runs, verdicts_of(verdicts)
