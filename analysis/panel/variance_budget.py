"""The variance of quality, taken apart into task, framework, run, node and judge."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from analysis.compare import RANK_DECIMALS
from analysis.panel.read_verdicts import TEXT, Verdicts
from analysis.variance.budget import Residual, apportion
from analysis.variance.result import VarianceBudget

FACTORS = {
    "task": "item",
    "framework": "subject",
    "framework_by_task": "cell",
    "run": "report",
    "judge_leniency": "judge",
    "node": "node",
}
NOISE = Residual(
    "judge_noise", "report", "judge", "no text was judged twice, so a judge cannot be told from a run"
)
FEWEST_REPEATED = 5
ONE_TEXT = (
    "Hardly any framework wrote two texts on an item, so run holds what the items make of a framework, too."
)


def take_variance_apart(verdicts: Verdicts, left_out: Collection[str] = ()) -> VarianceBudget:
    """Variance components of the overall scores, all effects random, without the judges `left_out`.

    judge_noise is the variance within a text once each judge's leniency is taken out.
    """
    rows = _rows(verdicts)
    if not rows["judge"].isin(left_out).all():
        rows = rows[~rows["judge"].isin(left_out)]
    sizes = {
        "verdicts": len(rows),
        "texts": rows["report"].nunique(),
        "items": rows["item"].nunique(),
    }
    if reason := _refusal(rows):
        return VarianceBudget(**sizes, reason=reason)
    repeated = rows.drop_duplicates("report").groupby("cell").size() > 1
    if repeated.sum() >= FEWEST_REPEATED:
        return apportion(rows, FACTORS, NOISE, sizes)
    factors = {name: column for name, column in FACTORS.items() if name != "framework_by_task"}
    several = len(rows["subject"].unique()) > 1 and len(rows["item"].unique()) > 1
    return apportion(rows, factors, NOISE, sizes, [ONE_TEXT] if several else [])


def _rows(verdicts: Verdicts) -> pd.DataFrame:
    """A text that several frameworks wrote belongs to all of them together: a level of its own."""
    rows = verdicts.own[["item", "judge", "text", "overall"]].copy()
    texts = list(zip(rows["item"], rows["text"], strict=True))
    nodes = {text: ", ".join(sorted(set(found))) for text, found in verdicts.runs.groupby(TEXT)["node"]}
    rows = rows.assign(
        subject=[", ".join(verdicts.writers.get(text, [])) for text in texts],
        node=[nodes.get(text, "") for text in texts],
        report=[f"{item}\n{text}" for item, text in texts],
        value=rows["overall"].round(RANK_DECIMALS),
    )
    rows = rows[rows["subject"] != ""]
    return rows.assign(
        cell=[f"{item}\n{subject}" for item, subject in zip(rows["item"], rows["subject"], strict=True)]
    )


def _refusal(rows: pd.DataFrame) -> str | None:
    if rows["report"].nunique() < 2:
        return "fewer than two texts were scored"
    if rows["value"].nunique() < 2:
        return "all scores are equal, so there is no variance to take apart"
    return None
