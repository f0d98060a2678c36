"""How much of the data is new evidence: identical reports are one observation, however often repeated."""

from __future__ import annotations

import pandas as pd

from analysis.read_runs import Runs
from analysis.result import Replication, SameText


def distinct_reports(completed: pd.DataFrame) -> int | None:
    """Different reports within each item, summed over items; None when no report is known."""
    known = completed[completed["report_digest"] != ""]
    if known.empty:
        return None
    return int(known.groupby("item")["report_digest"].nunique().sum())


def identical_across(completed: pd.DataFrame) -> list[SameText]:
    """Frameworks that wrote the very same report, and on how many items."""
    known = completed[completed["report_digest"] != ""]
    together: dict[tuple[str, ...], set[str]] = {}
    for (item, _), rows in known.groupby(["item", "report_digest"]):
        authors = tuple(sorted({str(name) for name in rows["subject"]}))
        if len(authors) > 1:
            together.setdefault(authors, set()).add(str(item))
    return [SameText(frameworks=list(names), items=len(items)) for names, items in together.items()]


def copied_iterations(cell: pd.DataFrame) -> list[list[int]]:
    """Iterations of one framework and item whose reports are byte-identical, group by group."""
    known = cell[cell["report_digest"] != ""]
    groups = known.groupby("report_digest", sort=False)["iteration"].apply(
        lambda its: sorted(int(i) for i in its)
    )
    return [group for group in groups if len(group) > 1]


def measure_replication(runs: Runs) -> Replication:
    completed = runs.completed
    by_framework = {
        str(subject): distinct
        for subject, rows in completed.groupby("subject", sort=True)
        if (distinct := distinct_reports(rows)) is not None
    }
    twins = set(completed.loc[completed["role"] == "twin", "subject"])
    competing = [distinct for subject, distinct in by_framework.items() if subject not in twins]
    return Replication(
        rows=len(runs.table),
        completed=len(completed),
        distinct_outputs=distinct_reports(completed),
        effective_n=pd.Series(competing, dtype=float).median() if competing else None,
        distinct_by_framework=by_framework,
        identical_across=identical_across(completed),
        items=int(runs.table["item"].nunique()),
    )
