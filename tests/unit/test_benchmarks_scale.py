"""The scale benchmark: what it makes of measured processes, and the plain script that it measures beside us."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from benchmarks.generated_results import Shape, write_results
from benchmarks.line_process import ROOT
from benchmarks.plain_report import omnibus, pairs, read, tables
from benchmarks.scale import FLOOR, OURS, Case, Taken, _figures, _goals


def taken(*seconds: float, peak_mb: float = 500) -> list[Taken]:
    return [Taken(second, second / 2, peak_mb, 5.0) for second in seconds]


def test_ratios_are_within_rounds_and_goals_say_what_was_found() -> None:
    """Half the time in each round is met; more memory than allowed at a million is not."""
    found = {FLOOR: taken(4, 8), OURS: taken(2, 4, peak_mb=5000)}
    time = _figures(Case(1_000_000), found)[0]
    assert time.ratios[f"{OURS} / {FLOOR}"].rounds == [0.5, 0.5]
    slower, memory = _goals({Case(1_000_000): found})
    assert (slower.met, slower.found) == (True, "0.50 times its time")
    assert memory.met is False


@pytest.mark.parametrize("records", [False, True])
def test_the_plain_script_reads_the_same_runs(tmp_path: Path, records: bool) -> None:
    """From the table and from the records its means are those of the table; its tests are scipy's."""
    write_results(tmp_path, 45, shape=Shape(5, 3, 1), records=45)
    table = pd.read_csv(tmp_path / "runs.csv")
    runs = read(tmp_path, records)
    assert len(runs) == 45
    done = runs[runs["status"] == "completed"]
    means = dict(tables(runs, done))["Means"]
    expected = table[table["status"] == "completed"].groupby("framework")["latency_s"].mean()
    assert means["latency_s"].to_numpy() == pytest.approx(expected.to_numpy())
    groups = [rows for _, rows in done.groupby("name")["overall"]]
    assert omnibus(done, "overall").loc["Kruskal-Wallis", "p"] == stats.kruskal(*groups).pvalue
    assert len(pairs(done, "overall")) == 10


def test_a_child_says_what_it_took(tmp_path: Path) -> None:
    """The plain script in a process of its own: a page, processor seconds and a peak of memory."""
    write_results(tmp_path, 45, shape=Shape(5, 3, 1))
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.report_child", "plain", tmp_path, tmp_path / "out.html"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    found = json.loads(said.stdout.splitlines()[-1])
    assert found["processor_s"] > 0
    assert 50 < found["peak_mb"] < 4000
    assert "Kruskal-Wallis" in (tmp_path / "out.html").read_text(encoding="utf-8")
