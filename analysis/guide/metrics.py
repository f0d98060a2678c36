"""What can be weighed: each metric a positive number per item and framework of which less is better.

Only ratios of these numbers are compared, so that metrics of any unit can be put together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.guide.result import MetricName
from analysis.name_columns import has_report
from shared.maturity import FrameworkFacts
from shared.plan import framework_of

Values = Callable[[pd.DataFrame], pd.Series]
"""All runs of one framework on one item -> one number, NaN where it is not known."""


@dataclass(frozen=True)
class Metric:
    title: str
    unit: str
    digits: int
    column: str | None = None
    """Of completed runs, averaged within an item; None where `METRIC_RULES` or the facts tell."""
    more_is_better: bool = False


SCALE = 10_000
"""To whole numbers, in which sums are exact: 0.01 % of a ratio."""

METRICS: dict[MetricName, Metric] = {
    "quality": Metric("Quality", "points", 2, "overall", more_is_better=True),
    "latency_s": Metric("Latency", "s", 2, "latency_s"),
    "framework_s": Metric("Framework's own time", "s", 3, "framework_s"),
    "tokens": Metric("Tokens", "", 0, "total_tokens"),
    "new_texts": Metric("1 + share of repeats with a new text", "", 2),
    "tries": Metric("Tries per completed run", "", 2),
    "start_s": Metric("Start and import", "s", 2),
    "installed_mb": Metric("Installed size", "MB", 0),
    "dependencies": Metric("Packages, itself included", "", 0),
}
FACTS: dict[MetricName, Callable[[FrameworkFacts], float]] = {
    "installed_mb": lambda facts: facts.installed_bytes / 1e6,
    # One more, itself included: a framework without dependencies has a ratio, too.
    "dependencies": lambda facts: facts.dependencies + len(facts.distributions),
}


def item_values(rows: pd.DataFrame, metric: MetricName, facts: Mapping[str, FrameworkFacts]) -> pd.DataFrame:
    """Items x frameworks (catalogue's names), in the metric's unit; NaN where a cell is not known.

    Args:
        rows: All runs of the arm, with `counted`; one subject per framework.
        metric: Which one to work out.
        facts: By framework; the same on every item.
    """
    axes = _plain(rows.pivot_table(index="item", columns="framework", values="counted", aggfunc="size"))
    if metric in FACTS:
        # A second name, for the noise floor, has the facts of the first.
        first = {name: framework_of(name) for name in axes.columns}
        known = {name: FACTS[metric](facts[first[name]]) for name in first if first[name] in facts}
        table = pd.DataFrame(known, index=axes.index, dtype=float)
    elif metric == "tries":
        # One success is added to both, so that an item without any has a figure.
        runs = rows.groupby(["item", "framework"])["counted"].agg(["size", "sum"])
        table = _wide((runs["size"] + 1) / (runs["sum"] + 1))
    elif metric == "new_texts":
        table = _new_texts(rows[rows["counted"]])
    else:
        done = rows[rows["counted"]]
        column = METRICS[metric].column
        series = done[column] if column else done["boot_s"] + done["import_s"]
        table = _wide(series.groupby([done["item"], done["framework"]]).mean())
    return _plain(table).reindex(index=axes.index, columns=axes.columns).where(lambda cells: cells > 0)


def _new_texts(done: pd.DataFrame) -> pd.DataFrame:
    """1 where all repeats gave one text, 2 where every repeat gave a new one; from two known texts on."""
    known = done[has_report(done)]
    texts = known.groupby(["item", "framework"])["report_digest"].agg(["size", "nunique"])
    texts = texts[texts["size"] > 1]
    return _wide(1 + (texts["nunique"] - 1) / (texts["size"] - 1))


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """With names as text: among over 127 categories pandas 3.0 cannot look others up."""
    return table.set_axis(table.index.astype("str")).set_axis(table.columns.astype("str"), axis="columns")


def _wide(cells: pd.Series) -> pd.DataFrame:
    """From a value per item and framework; no cell is there twice, so nothing is averaged."""
    return (
        cells.astype(float)
        .rename("value")
        .reset_index()
        .pivot_table(index="item", columns="framework", values="value")
    )


def logs_of(values: pd.DataFrame, metric: MetricName) -> np.ndarray:
    """Whole ten-thousandths of the natural logarithm, so that sums are exact here and in the page."""
    logs = np.log(values.to_numpy(dtype=float)) * SCALE
    return np.asarray(np.round(-logs if METRICS[metric].more_is_better else logs))
