"""A results folder or a plain CSV -> one table of runs with the columns that the statistics use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.manifest import Manifest, read_manifest
from analysis.name_columns import named_by, readable, readable_name, renamed
from analysis.read_store import Stored, read_store
from analysis.read_table import Columns, Wanted, categorical, column_names, read_columns
from analysis.result import CRITERIA
from analysis.subjects import Naming, role_of, title_of
from shared.errors import LevelfieldError, UserError
from shared.foreign_text import harmless
from shared.records import Status
from shared.store import Store
from shared.suggest import unknown_name

RUNS_FILE = "runs.csv"
# Our column <- the names that plain CSV files use for it.
ALIASES = {
    "item": ("company",),
    "latency_s": ("latency_seconds",),
    "prompt_tokens": ("input_tokens",),
    "completion_tokens": ("output_tokens",),
}
REQUIRED = ("framework", "item", "iteration", "overall", "latency_s", "total_tokens")
TEXT_COLUMNS = ("error", "started_at", "reasoning")
NAME_COLUMNS = (
    "framework", "arm", "task", "item", "status", "node", "judge", "quarantine", "limits_hit",
    "report_digest", "verdict_of",
)  # fmt: skip
"""What runs are grouped by: categorical, which is quick for a million of them."""
NUMBER_COLUMNS = (
    "iteration", "attempt", "latency_s", "prompt_tokens", "completion_tokens", "total_tokens", *CRITERIA,
    "overall", "section_share", "words", "fact_recall", "model_s", "tool_s", "framework_s",
    "unsupported_sentences", "repetition",
    "model_calls", "tool_calls", "native_prompt_tokens", "native_completion_tokens", "position",
    "queue_s", "prefill_s", "decode_s", "model_unsplit_s", "gateway_s", "boot_s", "import_s",
    "cached_tokens", "retried_calls", "retried_tokens", "server_prompt_tokens", "server_completion_tokens",
    "busy_share", "other_share", "steal_share", "cpu_pressure", "energy_j", "stray_calls",
    "slowest_call_tokens_per_s", "fastest_call_tokens_per_s", "rate_limited_s",
)  # fmt: skip
FLAG_COLUMNS = ("passed", "words_in_range", "in_asked_language")
REPORT = "report_text"
"""Where a plain CSV may hold the reports, of which only the digests are of use here."""
TIME_COLUMNS = (
    "latency_s", "model_s", "tool_s", "framework_s", "queue_s", "prefill_s", "decode_s", "model_unsplit_s",
    "gateway_s", "boot_s", "import_s", "energy_j", "slowest_call_tokens_per_s", "fastest_call_tokens_per_s",
)  # fmt: skip
"""What a machine that was busy with something else falsifies."""
LATE = "In quarantine: its process went on calling after its end."


@dataclass(frozen=True)
class Runs:
    """`table` has NAME_COLUMNS, TEXT_COLUMNS, NUMBER_COLUMNS (empty where the file lacks them), subject, role
    and counted.

    NAME_COLUMNS, subject and role are categorical; their categories are in alphabetical order, and a part of
    the table may lack some. In a disturbed run TIME_COLUMNS are empty, so that its times enter nothing.
    """

    table: pd.DataFrame
    present: frozenset[str]
    manifest: Manifest
    experiment: str
    unreadable: dict[str, int] = field(default_factory=dict)
    """Column -> cells that hold something, but no usable number."""
    naming: Naming = field(default_factory=Naming)
    stored: Stored = field(default_factory=Stored)

    @property
    def completed(self) -> pd.DataFrame:
        """Without those of which nothing counts. Each caller's own: what he adds to it nobody else sees."""
        return self._completed.copy(deep=False)

    @property
    def answered(self) -> pd.DataFrame:
        """Completed runs that a model answered. Each caller's own, likewise."""
        return self._answered.copy(deep=False)

    @cached_property
    def frameworks(self) -> frozenset[str]:
        return self.manifest.frameworks | frozenset(self.table["framework"].unique())

    @cached_property
    def _completed(self) -> pd.DataFrame:
        return _only(self.table, self.table["counted"])

    @cached_property
    def _answered(self) -> pd.DataFrame:
        return _only(self._completed, self._completed["role"] != "dry")

    def title(self, subject: str) -> str:
        return title_of(subject, self.frameworks, self.manifest.titles)


def read_runs(source: Path, task: str | None = None) -> Runs:
    """The runs of one task: unlike tasks are never pooled.

    Args:
        source: A results folder, or a CSV file of runs.
        task: Which one; None where there is only one.

    Raises:
        UserError: `source` is missing or no table of runs; or it holds several tasks, and none is named.
    """
    csv, manifest = locate(source, task)
    manifest = _ended_early(source, manifest)
    names = column_names(csv)
    _require_columns(names, csv)
    ours = _renames(names)
    found = read_columns(csv, names, _wanted(names, ours))
    table, present = _table(found, ours), frozenset(ours.get(name, name) for name in names)
    table = _one_task(table, task, csv)
    naming = _complete(table, present)
    _set_apart(table, manifest.frameworks)
    return Runs(
        table=table,
        present=present,
        manifest=manifest,
        experiment=manifest.experiment or _experiment_name(csv),
        unreadable={ours.get(name, name): count for name, count in found.unreadable.items()},
        naming=naming,
        stored=read_store(source, task) if source.is_dir() and manifest.levelfield else Stored(),
    )


def _only(table: pd.DataFrame, kept: pd.Series) -> pd.DataFrame:
    """A million runs are not copied where all are kept."""
    return table if kept.all() else table[kept]


def _ended_early(source: Path, manifest: Manifest) -> Manifest:
    """What the plan's stopping rule left out is not missing."""
    note = manifest.looks_note
    try:
        stopped = Store(source).stopped() if source.is_dir() else None
    except LevelfieldError as error:
        return replace(manifest, notes=[*manifest.notes, f"stopped.json cannot be read ({error})."])
    if stopped:
        return replace(manifest, notes=[*manifest.notes, stopped.sentence, note], planned_runs=None)
    return replace(manifest, notes=[*manifest.notes, note]) if note else manifest


def tasks_in(source: Path) -> list[str]:
    """The names of the tasks that `source` has runs of, in order. Raises UserError as `read_runs` does."""
    csv, _ = locate(source)
    names, nothing = column_names(csv), frozenset[str]()
    if "task" not in names:
        return [""]
    found = read_columns(csv, names, Wanted(nothing, nothing, nothing, names=frozenset({"task"})))
    return sorted({readable_name(str(name)) for name in found.names["task"].cat.categories}) or [""]


def _one_task(table: pd.DataFrame, task: str | None, csv: Path) -> pd.DataFrame:
    tasks = sorted(map(str, table["task"].unique()))
    if task is None:
        if len(tasks) > 1:
            raise UserError(
                f"{csv} holds runs of {len(tasks)} tasks, which are never pooled. "
                f"Name one with --task: {', '.join(tasks)}."
            )
        return table
    if task not in tasks:
        raise UserError(unknown_name("task", task, tasks))
    kept = _only(table, table["task"] == task).reset_index(drop=True)
    # What only the other tasks have is nothing here.
    return kept.assign(**{name: kept[name].cat.remove_unused_categories() for name in NAME_COLUMNS})


def locate(source: Path, task: str | None = None) -> tuple[Path, Manifest]:
    """The CSV file that `source` means, and the manifest beside it when `source` is a results folder."""
    if source.is_dir():
        csv = source / RUNS_FILE
        if not csv.is_file():
            raise UserError(f"{source} holds no {RUNS_FILE}. Name a results folder or a CSV file of runs.")
        return csv, read_manifest(source / "manifest.json", task)
    if not source.is_file():
        raise UserError(f"{source} does not exist. Name a results folder or a CSV file of runs.")
    return source, Manifest()


def _renames(columns: Sequence[str]) -> dict[str, str]:
    """The file's name -> ours, where they differ."""
    return {
        alias: ours
        for ours, aliases in ALIASES.items()
        for alias in aliases
        if ours not in columns and alias in columns
    }


def _require_columns(columns: Sequence[str], csv: Path) -> None:
    known = set(columns) | set(_renames(columns).values())
    if {"prompt_tokens", "completion_tokens"} <= known:
        known.add("total_tokens")
    missing = [name for name in REQUIRED if name not in known]
    if missing:
        wanted = ", ".join(" or ".join((name, *ALIASES.get(name, ()))) for name in missing)
        raise UserError(f"{csv} lacks the columns: {wanted}. It has: {', '.join(columns)}.")


def _wanted(names: Sequence[str], ours: Mapping[str, str]) -> Wanted:
    """By the file's own names."""

    def of(columns: Iterable[str]) -> frozenset[str]:
        return frozenset(name for name in names if ours.get(name, name) in columns)

    hashed = frozenset() if "report_digest" in names else of({REPORT})
    return Wanted(of(TEXT_COLUMNS), of(NUMBER_COLUMNS), of(FLAG_COLUMNS), hashed, of(NAME_COLUMNS))


def _table(found: Columns, ours: Mapping[str, str]) -> pd.DataFrame:
    """All columns that the statistics know; one that the file lacks is empty."""
    named: dict[str, pd.Series] = {
        ours.get(name, name): values
        for columns in (found.texts, found.names, found.numbers, found.flags)
        for name, values in columns.items()
    }
    if REPORT in found.hashes:
        named["report_digest"] = found.hashes[REPORT]
    index = pd.RangeIndex(found.rows)
    no_text, no_number = pd.Series("", index=index, dtype="str"), pd.Series(np.nan, index=index, dtype=float)
    no_name = categorical(np.zeros(found.rows, dtype=int), [""])
    columns = {name: readable(named.get(name, no_name)) for name in NAME_COLUMNS}
    columns |= {name: named.get(name, no_text) for name in TEXT_COLUMNS}
    columns["error"] = _each(columns["error"], harmless)
    columns |= {name: named.get(name, no_number) for name in (*NUMBER_COLUMNS, *FLAG_COLUMNS)}
    return pd.DataFrame(columns, copy=False)


def _each(texts: pd.Series, made: Callable[[str], str]) -> pd.Series:
    """`made` of each text, worked out once per different one."""
    found = {text: made(text) for text in texts.unique()}
    return texts if all(text == new for text, new in found.items()) else texts.map(found).astype("str")


def _complete(table: pd.DataFrame, present: frozenset[str]) -> Naming:
    """Fill in what one column says about another, and name the subjects."""
    if "status" not in present:
        table["status"] = renamed(table["status"], lambda _: str(Status.COMPLETED))
    table["status"] = renamed(table["status"], lambda name: name or "unknown")
    sums = table["prompt_tokens"] + table["completion_tokens"]
    table["total_tokens"] = table["total_tokens"].fillna(sums)
    for column in ("framework", "item"):
        table[column] = renamed(table[column], lambda name: name or "(unnamed)")
    table["iteration"] = table["iteration"].fillna(1).astype(int)
    naming = Naming(len(table["arm"].unique()) > 1)
    table["subject"] = named_by(table["framework"], table["arm"], naming.subject)
    return naming


def _set_apart(table: pd.DataFrame, planned: frozenset[str]) -> None:
    """What each row may be used for."""
    known = planned | frozenset(table["framework"].cat.categories)
    roles = {framework: str(role_of(framework, known)) for framework in known}
    table["role"] = renamed(table["framework"], roles.__getitem__)
    late = table["quarantine"] == "late_calls"
    table["counted"] = (table["status"] == Status.COMPLETED) & ~late
    table["error"] = table["error"].where(~late | (table["error"] != ""), LATE)
    disturbed = table["quarantine"] == "disturbed"
    if disturbed.any():
        table.loc[disturbed, list(TIME_COLUMNS)] = np.nan


def _experiment_name(csv: Path) -> str:
    return csv.resolve().parent.name if csv.name == RUNS_FILE else csv.stem
