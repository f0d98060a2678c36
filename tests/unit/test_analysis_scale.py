"""Of more runs than anybody reads one by one, some are listed and drawn; every figure is still of all."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis import compare, cost_figures, describe, drift_figure, quality_figures
from analysis.figures import draw_figures
from analysis.read_runs import read_runs
from analysis.replication import copies_by_cell, distinct_by
from analysis.result import Analysis
from analysis.run_tables import failures_table, runs_table
from tests.unit.analysis_rows import analyse_rows, clean_rows, write_rows


def without_runs(analysis: Analysis) -> str:
    return analysis.model_copy(update={"runs": type(analysis.runs)(), "failures": []}).model_dump_json()


def test_a_sample_is_listed_and_drawn_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With bounds of 10 and 5, 48 runs become every fifth and of these every second; all else is as without."""
    rows = [row | {"started_at": f"2026-01-02T03:{n:02}:00Z"} for n, row in enumerate(clean_rows())]
    whole = analyse_rows(tmp_path / "whole", rows)
    monkeypatch.setattr(describe, "MOST_RUNS", 10)
    for module in (cost_figures, drift_figure, quality_figures):
        monkeypatch.setattr(module, "MOST_POINTS", 5)
    some = analyse_rows(tmp_path / "whole", rows)
    assert without_runs(some) == without_runs(whole)
    assert (whole.runs.every, some.runs.every) == (1, 5)
    assert some.runs.latency_s == whole.runs.latency_s[::5]
    assert len(some.runs.order) == len(some.runs.framework) == 10
    figures = draw_figures(some)
    assert "small ones one run in 10" in figures["quality-latency"].caption
    assert "All runs, none drawn singly" in figures["distribution"].caption
    assert "One run in" in figures["drift"].caption
    drawn = [trace for trace in figures["quality-latency"].content["data"] if trace.get("text")]
    assert sum(len(trace["text"]) for trace in drawn) == 5
    assert all("x" not in trace for trace in figures["distribution"].content["data"])


def test_the_tables_of_a_sample_name_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The note has the number of all runs and of all failures, not of those that are listed."""
    monkeypatch.setattr(describe, "MOST_RUNS", 10)
    monkeypatch.setattr(describe, "MOST_FAILURES", 3)
    monkeypatch.setattr("analysis.run_tables.MOST_RUNS", 4)
    rows = clean_rows()
    failed = [row | {"status": "timeout"} if place % 4 == 0 else row for place, row in enumerate(rows)]
    analysis = analyse_rows(tmp_path, failed)
    assert runs_table(analysis).note == "Of every 4th run the first 4 of 36; all are in runs.csv."
    table = failures_table(analysis)
    assert table is not None
    assert (len(table.rows), table.note) == (3, "The first 3 of 12.")


def test_copies_and_distinct_reports_per_cell(tmp_path: Path) -> None:
    """Three iterations of which two are alike are two reports and one group of copies; empty digests are nothing."""
    rows = clean_rows(("autogen", "crewai"), ("Alpha", "Beta"), 3)
    for row in rows:
        if row["framework"] == "autogen" and row["iteration"] != 2:
            row["report_digest"] = f"same-{row['item']}"
        if row["item"] == "Beta" and row["framework"] == "crewai":
            row["report_digest"] = ""
    done = read_runs(write_rows(tmp_path, rows)).completed
    assert copies_by_cell(done) == {("autogen", "Alpha"): [[1, 3]], ("autogen", "Beta"): [[1, 3]]}
    assert distinct_by(done, "subject", "item").to_dict() == {
        ("autogen", "Alpha"): 2,
        ("autogen", "Beta"): 2,
        ("crewai", "Alpha"): 3,
    }
    assert distinct_by(done, "subject").to_dict() == {"autogen": 4, "crewai": 3}


def test_pairs_ranked_a_few_at_a_time_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound on what is ranked at once changes no p."""
    whole = analyse_rows(tmp_path, clean_rows()).pairs
    monkeypatch.setattr(compare, "MOST_VALUES", 1)
    assert analyse_rows(tmp_path, clean_rows()).pairs == whole


def test_callers_do_not_see_each_other_s_columns(tmp_path: Path) -> None:
    """What one part of the analysis adds to its runs is not there for the next, although all rows are shared."""
    runs = read_runs(write_rows(tmp_path, clean_rows()))
    mine = runs.completed
    mine["own"] = 1
    mine.loc[mine.index[0], "latency_s"] = -1.0
    assert "own" not in runs.completed
    assert (runs.completed["latency_s"] > 0).all()
    pd.testing.assert_frame_equal(runs.answered, runs.table)
