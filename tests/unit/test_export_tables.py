"""`levelfield export --to csv|parquet`: the records as tables, typed, whole, harmless and without secrets."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from cluster.export.command import export_command
from cluster.export.write_tables import ParquetFile
from shared.errors import CorruptRecord, InternalError, UserError
from shared.store import Store
from tests.unit.exported_experiment import KEY, LONG, TOKEN, exported_experiment
from tests.unit.measured_experiment import analyse_store, stored_experiment

Form = Literal["csv", "parquet", "inspect"]


def export(store: Store, form: Form, out: Path | None = None, **flags: bool) -> str:
    console = Console(width=300)
    with console.capture() as said:
        export_command(store.folder, form, out, console, **{"bodies": False, "overwrite": False} | flags)
    return said.get()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("LEVELFIELD_LLM_API_KEY", KEY)
    return exported_experiment(tmp_path / "experiment")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_has_a_row_per_record_that_joins_with_the_others(store: Store, tmp_path: Path) -> None:
    """Runs that count, all their calls, every verdict and check, each with the names of its run."""
    export(store, "csv", tmp_path / "out")
    runs, calls, verdicts, checks = (
        rows_of(tmp_path / "out" / f"{name}.csv") for name in ("runs", "calls", "verdicts", "checks")
    )
    assert [(row["framework"], row["status"]) for row in runs] == [
        ("a", "completed"),
        ("b", "timeout"),
        ("b", "framework_error"),
    ]
    assert [row["sequence"] for row in calls] == ["1", "2", "3", "4", "5"]
    assert {row["run_id"] for row in (*calls, *verdicts, *checks)} == {runs[0]["run_id"]}
    assert [(row["overall"], row["tone"], row["framework"]) for row in verdicts] == [
        ("7.5", "3", "a"),
        ("8.5", "3", "a"),
    ]
    assert json.loads(checks[0]["sections_missing"]) == ["Risks"]
    assert (runs[0]["overall"], runs[0]["tone"], runs[0]["fact_recall"]) == ("8.0", "3", "0.25")


def test_parquet_has_types_and_the_texts_as_they_were(store: Store, tmp_path: Path) -> None:
    """Whole numbers, flags, moments and lists are such, and a text is not marked for spreadsheets."""
    export(store, "parquet", tmp_path / "out")
    runs = pq.read_table(tmp_path / "out" / "runs.parquet")
    types = {name: runs.schema.field(name).type for name in ("prompt_tokens", "words_in_range", "started_at")}
    assert types == {
        "prompt_tokens": pa.int64(),
        "words_in_range": pa.bool_(),
        "started_at": pa.timestamp("us", tz="UTC"),
    }
    first = runs.to_pylist()[0]
    assert first["text"] == "= A report | with <key>\nand ünïcode"
    assert first["started_at"].isoformat() == "2026-01-02T03:04:05+00:00"
    assert runs["latency_s"].to_pylist() == [3.5, None, 3.5]
    calls = pq.read_table(tmp_path / "out" / "calls.parquet").to_pylist()
    assert calls[2]["chunks_s"] == [2.1, 2.2]
    assert calls[0]["server_prefill_s"] == 0.1


def test_both_forms_say_the_same(store: Store, tmp_path: Path) -> None:
    """A figure read from CSV is the one read from Parquet, to the last bit."""
    for form in ("csv", "parquet"):
        export(store, form, tmp_path / form, bodies=True)
    for name in ("runs", "calls", "verdicts", "checks"):
        typed = pd.read_parquet(tmp_path / "parquet" / f"{name}.parquet")
        plain = pd.read_csv(tmp_path / "csv" / f"{name}.csv")
        assert list(typed.columns) == list(plain.columns)
        for column in typed.select_dtypes("number"):
            assert typed[column].astype(float).equals(plain[column].astype(float)), column


def test_bodies_are_there_when_asked_for(store: Store, tmp_path: Path) -> None:
    """Without the flag no request is in the table; with it each is, as JSON, however large its numbers."""
    export(store, "parquet", tmp_path / "without")
    assert "request" not in pq.read_schema(tmp_path / "without" / "calls.parquet").names
    export(store, "parquet", tmp_path / "with", bodies=True)
    calls = pq.read_table(tmp_path / "with" / "calls.parquet").to_pylist()
    assert json.loads(calls[0]["request"])["messages"][1]["content"] == LONG
    assert json.loads(calls[1]["response"])["huge"] == 2**70


def test_a_spreadsheet_computes_nothing(store: Store, tmp_path: Path) -> None:
    """A report that begins like a formula is marked as text."""
    export(store, "csv", tmp_path / "out")
    assert rows_of(tmp_path / "out" / "runs.csv")[0]["text"].startswith("'= A report")


@pytest.mark.parametrize("form", ["csv", "parquet", "inspect"])
def test_no_secret_is_exported(store: Store, tmp_path: Path, form: Form) -> None:
    """Neither the server's key nor a run's token, although records that nobody scrubbed hold both."""
    export(store, form, tmp_path / "out", bodies=True)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content = str(pq.read_table(path).to_pylist()).encode()
        assert KEY.encode() not in content
        assert TOKEN.encode() not in content


def test_nothing_is_overwritten_unasked(store: Store, tmp_path: Path) -> None:
    """A folder that holds anything is refused by name; --overwrite replaces an earlier export."""
    out = tmp_path / "out"
    export(store, "csv", out)
    before = (out / "runs.csv").read_bytes()
    with pytest.raises(UserError, match=r"not empty.*--overwrite"):
        export(store, "csv", out)
    export(store, "csv", out, overwrite=True)
    assert (out / "runs.csv").read_bytes() == before
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is a file"):
        export(store, "csv", tmp_path / "file")


def test_what_is_no_experiment_is_told(tmp_path: Path) -> None:
    """A foreign folder, and an experiment without a run."""
    console = Console(quiet=True)
    with pytest.raises(UserError, match="No experiment in"):
        export_command(tmp_path, "csv", None, console, bodies=False, overwrite=False)
    store = exported_experiment(tmp_path / "experiment")
    for path in sorted(store.folder.glob("runs/*/*"), reverse=True):
        path.unlink()
    with pytest.raises(UserError, match="holds no runs yet"):
        export_command(store.folder, "csv", None, console, bodies=False, overwrite=False)


def test_a_broken_record_leaves_no_half_table(store: Store, tmp_path: Path) -> None:
    """The record is named, and the table that it belongs to is not there in part."""
    path = next(store.folder.glob("runs/*.b/attempt-1.json"))
    path.write_text(path.read_text(encoding="utf-8").replace("1000", "1001"), encoding="utf-8")
    with pytest.raises(CorruptRecord, match="does not match its checksum"):
        export(store, "parquet", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_rows_leave_memory_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long table becomes many row groups; all its rows are there, in order."""
    monkeypatch.setattr("cluster.export.write_tables.BATCH_ROWS", 10)
    with ParquetFile(tmp_path, "numbers", {"n": "whole"}) as table:
        for n in range(95):
            table.write({"n": n})
    found = pq.ParquetFile(tmp_path / "numbers.parquet")
    assert found.num_row_groups == 10
    assert found.read()["n"].to_pylist() == list(range(95))


def test_a_number_beyond_its_column_is_told(tmp_path: Path) -> None:
    """An integer of over 64 bits where a count belongs: an error with the file's name, and no file."""
    with (
        pytest.raises(InternalError, match=r"numbers\.parquet: a value does not fit"),
        ParquetFile(tmp_path, "numbers", {"n": "whole"}) as table,
    ):
        table.write({"n": 2**70})
    assert list(tmp_path.iterdir()) == []


def test_the_tables_give_the_report_s_means(tmp_path: Path) -> None:
    """Mean latency, tokens and quality from the exported runs are those of the analysis."""
    store = stored_experiment(tmp_path / "experiment")
    said = export(store, "parquet")
    assert "48 rows" in said
    runs = pd.read_parquet(store.folder / "export-parquet" / "runs.parquet")
    analysis = analyse_store(store)
    means: Any = runs.groupby(["framework", "arm"])[["latency_s", "total_tokens", "overall"]].mean()
    for (framework, arm), row in means.iterrows():
        found = analysis.frameworks[f"{framework} [{arm}]"]
        assert row.tolist() == pytest.approx([found.latency_s, found.tokens, found.quality])
