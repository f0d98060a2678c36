"""How much of the data is new evidence: identical reports are one observation, however often repeated."""

from __future__ import annotations

import pandas as pd

from analysis.name_columns import has_report
from analysis.read_runs import Runs
from analysis.result import Replication, SameText


def distinct_reports(completed: pd.DataFrame) -> int | None:
    """Different reports within each item, summed over items; None when no report is known."""
    known = _known(completed, "item")
    return None if known.empty else len(known.drop_duplicates())


def identical_across(completed: pd.DataFrame) -> list[SameText]:
    """Frameworks that wrote the very same report, and on how many items."""
    written = _known(completed, "item", "subject").drop_duplicates()
    shared = written[written.duplicated(["item", "report_digest"], keep=False)]
    together: dict[tuple[str, ...], set[str]] = {}
    for (item, _), subjects in shared.groupby(["item", "report_digest"])["subject"]:
        together.setdefault(tuple(sorted(map(str, subjects))), set()).add(str(item))
    return [SameText(frameworks=list(names), items=len(items)) for names, items in together.items()]


def copies_by_cell(completed: pd.DataFrame) -> dict[tuple[str, str], list[list[int]]]:
    """Of each framework and item, the iterations whose reports are byte-identical, group by group."""
    known = _known(completed, "subject", "item").assign(iteration=completed["iteration"])
    names = ["subject", "item", "report_digest"]
    repeated = known[known.duplicated(names, keep=False)]
    found: dict[tuple[str, str], list[list[int]]] = {}
    for (subject, item, _), iterations in repeated.groupby(names, sort=False)["iteration"]:
        found.setdefault((str(subject), str(item)), []).append(sorted(int(i) for i in iterations))
    return found


def distinct_by(completed: pd.DataFrame, *columns: str) -> pd.Series:
    """How many different reports each group has, within its items; groups without a report are left out."""
    known = _known(completed, *dict.fromkeys((*columns, "item")))
    return known.drop_duplicates().groupby(list(columns), sort=True).size()


def _known(completed: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The digests that are there, beside these columns alone: all columns of a million runs are many."""
    return completed.loc[has_report(completed), [*columns, "report_digest"]]


def measure_replication(runs: Runs) -> Replication:
    completed = runs.completed
    by_framework = {str(name): int(count) for name, count in distinct_by(completed, "subject").items()}
    twins = set(completed.loc[completed["role"] == "twin", "subject"].unique())
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
