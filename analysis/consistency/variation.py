"""How much latency and tokens vary when the same framework does the same item again."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import pandas as pd

from analysis.consistency.intervals import root_ratio_interval
from analysis.consistency.result import Variation, Variations
from analysis.name_columns import has_report
from analysis.read_runs import Runs

CELL = ("subject", "item")
TEXT = (*CELL, "report_digest")


def measure_variations(runs: Runs, column: str) -> dict[str, Variations]:
    """Subject -> the variation of `column` (latency_s or total_tokens) within items."""
    done = runs.answered.dropna(subset=[column])
    known = done[has_report(done)].sort_values("iteration", kind="stable")
    by_kind = {
        "all_runs": within_groups(done, column, CELL),
        "same_text": within_groups(known, column, TEXT),
        "other_text": within_groups(known.drop_duplicates(list(TEXT)), column, CELL),
    }
    subjects = sorted(str(name) for name in done["subject"].unique())
    return {
        subject: Variations(**{kind: found.get(subject, Variation()) for kind, found in by_kind.items()})
        for subject in subjects
    }


def within_groups(rows: pd.DataFrame, column: str, by: Sequence[str]) -> dict[str, Variation]:
    """Subject -> sqrt of the mean of the squared coefficients of variation, weighted by n - 1.

    A mean of the coefficients would be too low for few repeats, as each standard deviation is: so variances
    are pooled, and the root is taken after that.
    """
    groups = rows.groupby(list(by))[column].agg(["size", "mean", "std"])
    groups = groups[(groups["size"] > 1) & (groups["mean"] > 0)]
    freedom = groups["size"] - 1
    parts = pd.DataFrame(
        {"squares": freedom * (groups["std"] / groups["mean"]) ** 2, "freedom": freedom, "groups": 1}
    )
    by_item = parts.groupby(level=list(CELL)).sum()
    return {str(subject): _variation(found) for subject, found in by_item.groupby(level="subject")}


def _variation(by_item: pd.DataFrame) -> Variation:
    squares, freedom = by_item["squares"].to_numpy(), by_item["freedom"].to_numpy(dtype=float)
    return Variation(
        value=sqrt(squares.sum() / freedom.sum()),
        interval=root_ratio_interval(squares, freedom),
        groups=int(by_item["groups"].sum()),
    )
