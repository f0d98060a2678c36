"""One of the two experiments: its cells by framework, arm and item, and its noise floor in shares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.change.result import ChangeMetric, SideInfo
from analysis.read_runs import NAME_COLUMNS, Runs, read_runs
from analysis.subjects import title_of, twin_of
from shared.records import Status

COLUMNS: dict[ChangeMetric, str] = {
    "latency_s": "latency_s",
    "framework_s": "framework_s",
    "tokens": "total_tokens",
    "quality": "overall",
    "failures": "failed",
    "import_s": "import_s",
}
FAILED = frozenset({Status.FRAMEWORK_ERROR, Status.LIMIT_REACHED, Status.TIMEOUT})
"""Ends that are the framework's; a model's or a machine's are no data on it."""

Subject = tuple[str, str]
"""Framework and arm."""


@dataclass(frozen=True)
class Side:
    runs: Runs
    arms_named: bool = True
    """Whether arms tell subjects apart; not where a plain table names none."""
    tasks_named: bool = True

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row per run, with `failed` (0, 1 or empty); arms and items have the same names on both sides."""
        table = self.runs.table.astype(dict.fromkeys((*NAME_COLUMNS, "subject", "role"), "str"))
        table["failed"] = np.where(table["status"].isin(FAILED), 1.0, np.nan)
        table.loc[table["counted"], "failed"] = 0.0
        if not self.arms_named:
            table["arm"] = ""
        if self.tasks_named:
            table["item"] = [
                f"{task}/{item}" for task, item in zip(table["task"], table["item"], strict=True)
            ]
        return table

    @cached_property
    def subjects(self) -> list[Subject]:
        """Without second names, which are there for the noise floor."""
        competing = self.table[self.table["role"] != "twin"]
        return sorted(
            {(str(f), str(arm)) for f, arm in zip(competing["framework"], competing["arm"], strict=True)}
        )

    def role(self, framework: str) -> str:
        return str(self.table.loc[self.table["framework"] == framework, "role"].iloc[0])

    def title(self, subject: Subject) -> str:
        """Of the framework; its arm stands beside it."""
        return title_of(subject[0], self._known, self.runs.manifest.titles)

    @cached_property
    def digests(self) -> dict[Subject, dict[tuple[str, int], str]]:
        """Of the reports, by item and iteration."""
        found: dict[Subject, dict[tuple[str, int], str]] = {}
        known = self.table[self.table["counted"] & (self.table["report_digest"] != "")]
        columns = ("framework", "arm", "item", "iteration", "report_digest")
        for framework, arm, item, iteration, digest in zip(*(known[name] for name in columns), strict=True):
            found.setdefault((framework, arm), {})[item, iteration] = digest
        return found

    @cached_property
    def _known(self) -> frozenset[str]:
        return self.runs.frameworks

    def cells(self, metric: ChangeMetric) -> pd.DataFrame:
        """A row per item, a column per subject: means over iterations, NaN where nothing is known."""
        return self._cells[metric]

    def noise(self, metric: ChangeMetric) -> float | None:
        """Mean distance of a framework from itself, on the scale of `step`; None without an A/A twin."""
        return self._noise[metric]

    @cached_property
    def _cells(self) -> dict[ChangeMetric, pd.DataFrame]:
        found = {}
        for metric, column in COLUMNS.items():
            rows = self.table if metric == "failures" else self.table[self.table["counted"]]
            found[metric] = rows.dropna(subset=[column]).pivot_table(
                index="item", columns=["framework", "arm"], values=column, aggfunc="mean"
            )
        return found

    @cached_property
    def _noise(self) -> dict[ChangeMetric, float | None]:
        twins = [
            ((first, arm), (framework, arm))
            for framework, arm in sorted({*zip(self.table["framework"], self.table["arm"], strict=True)})
            if (first := twin_of(framework, self._known))
        ]
        return {metric: _distance(metric, cells, twins) for metric, cells in self._cells.items()}

    @property
    def info(self) -> SideInfo:
        manifest = self.runs.manifest
        return SideInfo(
            name=self.runs.experiment,
            created_at=manifest.created_at,
            levelfield=manifest.levelfield,
            runs=len(self.table),
            completed=int(self.table["counted"].sum()),
        )


def read_sides(base: Path, head: Path | None, task: str | None = None) -> tuple[Side, Side]:
    """Raises UserError: one is missing, or no table of runs. Without `head`, the same twice."""
    first = read_runs(base, task)
    second = read_runs(head, task) if head and head != base else first
    # A plain table has no arms and tasks; it can be held against an experiment that ran a single one.
    arms, tasks = (
        [set(runs.table[column].unique()) for runs in (first, second)] for column in ("arm", "task")
    )
    named = [not ({""} in found and max(map(len, found)) <= 1) for found in (arms, tasks)]
    return Side(first, *named), Side(second, *named)


def _distance(
    metric: ChangeMetric, cells: pd.DataFrame, twins: list[tuple[Subject, Subject]]
) -> float | None:
    each = [
        np.abs(step(metric, cells[first].to_numpy(), cells[second].to_numpy()))
        for first, second in twins
        if first in cells.columns and second in cells.columns
    ]
    known = np.concatenate(each) if each else np.empty(0)
    known = known[np.isfinite(known)]
    return float(known.mean()) if len(known) else None


def step(metric: ChangeMetric, base: np.ndarray, head: np.ndarray) -> np.ndarray:
    """How far head is from base, item by item: the logarithm of their ratio; of failures, the difference.

    Swapping base and head turns its sign and nothing else, which is what the sign-flip test needs. NaN where
    there is no ratio.
    """
    if metric == "failures":
        return np.asarray(head - base)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((base > 0) & (head > 0), np.log(head / base), np.nan)


def as_share(metric: ChangeMetric, value: float | None) -> float | None:
    """A `step` as it is shown: 0.049 as a logarithm is a change of 0.05."""
    return value if value is None or metric == "failures" else float(np.expm1(value))
