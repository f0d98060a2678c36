"""A results folder or a plain CSV -> one table of runs with the columns that the statistics use."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.manifest import Manifest, read_manifest
from analysis.read_store import Stored, read_store
from analysis.result import CRITERIA
from analysis.subjects import Naming, role_of, title_of
from shared.errors import UserError
from shared.records import Status

RUNS_FILE = "runs.csv"
# Our column <- the names that plain CSV files use for it.
ALIASES = {
    "item": ("company",),
    "latency_s": ("latency_seconds",),
    "prompt_tokens": ("input_tokens",),
    "completion_tokens": ("output_tokens",),
}
REQUIRED = ("framework", "item", "iteration", "overall", "latency_s", "total_tokens")
TEXT_COLUMNS = (
    "framework", "arm", "task", "item", "status", "error", "report_digest", "node", "limits_hit",
    "verdict_of", "started_at", "quarantine", "judge", "reasoning",
)  # fmt: skip
NUMBER_COLUMNS = (
    "iteration", "attempt", "latency_s", "prompt_tokens", "completion_tokens", "total_tokens", *CRITERIA,
    "overall", "section_share", "words", "fact_recall", "model_s", "tool_s", "framework_s",
    "unsupported_sentences", "repetition",
    "model_calls", "tool_calls", "native_prompt_tokens", "native_completion_tokens", "position",
    "queue_s", "prefill_s", "decode_s", "model_unsplit_s", "gateway_s", "boot_s", "import_s",
    "cached_tokens", "retried_calls", "retried_tokens", "server_prompt_tokens", "server_completion_tokens",
    "busy_share", "other_share", "steal_share", "cpu_pressure", "energy_j", "stray_calls",
    "slowest_call_tokens_per_s", "fastest_call_tokens_per_s",
)  # fmt: skip
TIME_COLUMNS = (
    "latency_s", "model_s", "tool_s", "framework_s", "queue_s", "prefill_s", "decode_s", "model_unsplit_s",
    "gateway_s", "boot_s", "import_s", "energy_j", "slowest_call_tokens_per_s", "fastest_call_tokens_per_s",
)  # fmt: skip
"""What a machine that was busy with something else falsifies."""
LATE = "In quarantine: its process went on calling after its end."


@dataclass(frozen=True)
class Runs:
    """`table` has TEXT_COLUMNS, NUMBER_COLUMNS (empty where the file lacks them), subject, role and counted.

    In a disturbed run TIME_COLUMNS are empty, so that its times enter nothing.
    """

    table: pd.DataFrame
    present: frozenset[str]
    manifest: Manifest
    experiment: str
    unreadable: dict[str, int] = field(default_factory=dict)
    """Column -> cells that hold something, but no finite number."""
    naming: Naming = field(default_factory=Naming)
    stored: Stored = field(default_factory=Stored)

    @property
    def completed(self) -> pd.DataFrame:
        """Without those of which nothing counts."""
        return self.table[self.table["counted"]]

    @property
    def answered(self) -> pd.DataFrame:
        """Completed runs that a model answered."""
        return self.completed[self.completed["role"] != "dry"]

    @property
    def frameworks(self) -> frozenset[str]:
        return self.manifest.frameworks | frozenset(self.table["framework"])

    def title(self, subject: str) -> str:
        return title_of(subject, self.frameworks, self.manifest.titles)


def read_runs(source: Path) -> Runs:
    csv, manifest = locate(source)
    raw = _read_csv(csv)
    _require_columns(raw.columns, csv)
    named = raw.rename(columns=_renames(raw.columns))
    table = pd.DataFrame(index=named.index)
    unreadable: dict[str, int] = {}
    for column in TEXT_COLUMNS:
        table[column] = named[column].str.strip() if column in named else ""
    for column in NUMBER_COLUMNS:
        table[column], bad = _numbers(named, column)
        if bad:
            unreadable[column] = bad
    for column in ("words_in_range", "in_asked_language"):
        table[column] = _booleans(named, column)
    naming = _complete(table, named)
    _set_apart(table, manifest.frameworks)
    return Runs(
        table=table.reset_index(drop=True),
        present=frozenset(named.columns),
        manifest=manifest,
        experiment=manifest.experiment or _experiment_name(csv),
        unreadable=unreadable,
        naming=naming,
        stored=read_store(source) if source.is_dir() and manifest.levelfield else Stored(),
    )


def locate(source: Path) -> tuple[Path, Manifest]:
    """The CSV file that `source` means, and the manifest beside it when `source` is a results folder."""
    if source.is_dir():
        csv = source / RUNS_FILE
        if not csv.is_file():
            raise UserError(f"{source} holds no {RUNS_FILE}. Name a results folder or a CSV file of runs.")
        return csv, read_manifest(source / "manifest.json")
    if not source.is_file():
        raise UserError(f"{source} does not exist. Name a results folder or a CSV file of runs.")
    return source, Manifest()


def _read_csv(csv: Path) -> pd.DataFrame:
    try:
        # Text first: a framework called "nan" keeps its name, and no bad cell goes unseen.
        return pd.read_csv(csv, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError, OSError) as error:
        raise UserError(f"{csv} cannot be read as CSV in UTF-8: {str(error).strip()}") from error


def _renames(columns: pd.Index) -> dict[str, str]:
    return {
        alias: ours
        for ours, aliases in ALIASES.items()
        for alias in aliases
        if ours not in columns and alias in columns
    }


def _require_columns(columns: pd.Index, csv: Path) -> None:
    known = set(columns) | set(_renames(columns).values())
    if {"prompt_tokens", "completion_tokens"} <= known:
        known.add("total_tokens")
    missing = [name for name in REQUIRED if name not in known]
    if missing:
        wanted = ", ".join(" or ".join((name, *ALIASES.get(name, ()))) for name in missing)
        raise UserError(f"{csv} lacks the columns: {wanted}. It has: {', '.join(map(str, columns))}.")


def _numbers(named: pd.DataFrame, column: str) -> tuple[pd.Series, int]:
    if column not in named:
        return pd.Series(np.nan, index=named.index, dtype=float), 0
    text = named[column].str.strip()
    values = pd.to_numeric(text, errors="coerce").astype(float)
    values = values.where(np.isfinite(values))
    return values, int(((text != "") & values.isna()).sum())


def _booleans(named: pd.DataFrame, column: str) -> pd.Series:
    if column not in named:
        return pd.Series(np.nan, index=named.index, dtype=float)
    return (
        named[column]
        .str.strip()
        .str.lower()
        .map({"true": 1.0, "1": 1.0, "false": 0.0, "0": 0.0})
        .astype(float)
    )


def _complete(table: pd.DataFrame, named: pd.DataFrame) -> Naming:
    """Fill in what one column says about another, and name the subjects."""
    if "status" not in named:
        table["status"] = str(Status.COMPLETED)
    table["status"] = table["status"].where(table["status"] != "", "unknown")
    if "report_digest" not in named and "report_text" in named:
        table["report_digest"] = named["report_text"].map(_digest)
    sums = table["prompt_tokens"] + table["completion_tokens"]
    table["total_tokens"] = table["total_tokens"].fillna(sums)
    table["framework"] = table["framework"].where(table["framework"] != "", "(unnamed)")
    table["item"] = table["item"].where(table["item"] != "", "(unnamed)")
    table["iteration"] = table["iteration"].fillna(1).astype(int)
    naming = Naming(len(table["arm"].unique()) > 1, len(table["task"].unique()) > 1)
    table["item"] = list(map(naming.item, table["task"], table["item"]))
    table["subject"] = list(map(naming.subject, table["framework"], table["arm"]))
    return naming


def _set_apart(table: pd.DataFrame, planned: frozenset[str]) -> None:
    """What each row may be used for."""
    known = planned | frozenset(table["framework"])
    table["role"] = [role_of(framework, known) for framework in table["framework"]]
    late = table["quarantine"] == "late_calls"
    table["counted"] = (table["status"] == Status.COMPLETED) & ~late
    table["error"] = table["error"].where(~late | (table["error"] != ""), LATE)
    table.loc[table["quarantine"] == "disturbed", list(TIME_COLUMNS)] = np.nan


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def _experiment_name(csv: Path) -> str:
    return csv.resolve().parent.name if csv.name == RUNS_FILE else csv.stem
