"""A table of measurements -> its variance budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.compare import compared_runs
from analysis.noise_floor import COLUMNS
from analysis.read_runs import Runs
from analysis.significance_result import Metric
from analysis.variance.components import VALUE, estimate_components, within_variance
from analysis.variance.result import VarianceBudget, VarianceShare
from analysis.wording import plural

ONE_LEVEL = {"task": "item", "framework": "framework", "node": "node"}
"""Part -> what there is only one of when its part cannot be told."""
ONE = "With one {word} its part of the variance cannot be told."
NODE_UNKNOWN = "Which node a run was on is not known."
NODE_CONFOUNDED = "Nodes cannot be told from what ran on them, so they have no part here."
FEWEST_FREE = 5
"""With fewer degrees of freedom a variance is hardly known."""
METRICS: tuple[Metric, ...] = ("latency_s", "tokens")
"""Of which each run has a value; quality's verdicts are the panel's."""


@dataclass(frozen=True)
class Residual:
    """What repeats of the same thing differ by."""

    name: str
    group: str
    """Column: what is repeated."""
    beside: str
    """Column: taken out as well."""
    reason: str
    """Why there is no budget when nothing was repeated."""


RUN = Residual(
    "run",
    "cell",
    "node",
    "no framework ran an item twice, so a run cannot be told from what the item makes of the framework",
)


def measure_budgets(runs: Runs, quality: VarianceBudget | None) -> dict[str, VarianceBudget]:
    """By metric. `quality`: of the panel's verdicts, which knows judges."""
    found = {} if quality is None else {"quality": quality}
    return found | {metric: _of_runs(runs, COLUMNS[metric]) for metric in METRICS}


def _of_runs(runs: Runs, column: str) -> VarianceBudget:
    known = compared_runs(runs).dropna(subset=[column])
    cell = known.groupby(["item", "subject"]).ngroup()
    rows = known[["item", "subject", "node"]].assign(value=known[column], cell=cell)
    sizes = {"runs": len(rows), "items": rows["item"].nunique()}
    if len(rows) < 2:
        return VarianceBudget(**sizes, reason="fewer than two runs have a value")
    factors = {"task": "item", "framework": "subject", "framework_by_task": "cell", "node": "node"}
    return apportion(rows, factors, RUN, sizes)


def apportion(
    rows: pd.DataFrame,
    factors: Mapping[str, str],
    residual: Residual,
    sizes: Mapping[str, int],
    notes: Sequence[str] = (),
) -> VarianceBudget:
    """Split the variance of `rows[VALUE]`.

    Args:
        rows: A measurement per row.
        factors: Part -> column. Those with one level have no part, and a note says so.
        residual: What repeats differ by, the last part.
        sizes: Counts for the result.
        notes: What is known already.
    """
    if rows[VALUE].nunique() < 2:
        return VarianceBudget(**sizes, reason="all values are equal, so there is no variance to take apart")
    within = within_variance(rows, residual.group, residual.beside)
    if within is None:
        return VarianceBudget(**sizes, reason=residual.reason)
    several = {name: column for name, column in factors.items() if len(rows[column].unique()) > 1}
    # Where nothing but one framework or one item was run, their cells are the items or frameworks.
    if not {"task", "framework"} <= set(several):
        several.pop("framework_by_task", None)
    components = estimate_components(rows, several, within.variance)
    found = [*notes]
    found += [
        NODE_UNKNOWN if name == "node" and list(rows["node"].unique()) == [""] else ONE.format(word=word)
        for name, word in ONE_LEVEL.items()
        if name in factors and name not in several
    ]
    if "node" in components.confounded:
        found.append(NODE_CONFOUNDED)
    if within.free < FEWEST_FREE:
        found.append(
            f"{residual.name.replace('_', ' ').capitalize()} rests on {plural(within.free, 'degree')} of "
            "freedom, so it is hardly known."
        )
    return _budget(components.variances | {residual.name: within.variance}, sizes, found)


def _budget(found: Mapping[str, float], sizes: Mapping[str, int], notes: list[str]) -> VarianceBudget:
    kept = {name: max(0.0, value) for name, value in found.items()}
    total = sum(kept.values())
    if total <= 0:
        return VarianceBudget(**sizes, reason="every component is estimated as 0")
    parts = {name: VarianceShare(variance=value, share=value / total) for name, value in kept.items()}
    below = [name for name, value in found.items() if value < 0]
    judges = [part.share for name, part in parts.items() if name.startswith("judge_")]
    return VarianceBudget(
        **sizes,
        parts=parts,
        judge_share=sum(judges) if judges else None,
        notes=[
            *(f"The estimate of {name.replace('_', ' ')} was negative and is shown as 0." for name in below),
            *notes,
        ],
    )
