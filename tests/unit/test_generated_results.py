"""Made-up experiments for benchmarks: of the form that real ones have, and the same each time."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.read_runs import read_runs
from benchmarks.generated_results import Shape, write_results
from cluster.runs_csv import write_runs_csv
from shared.latency import take_apart
from shared.store import Store

SMALL = Shape(frameworks=2, items=2, arms=2)


def test_a_balanced_experiment(tmp_path: Path) -> None:
    """Every framework, item and arm has as many runs as any other, and all columns can be read."""
    runs = read_runs(write_results(tmp_path / "e", 80, shape=SMALL))
    assert set(runs.table.groupby(["framework", "arm", "item"]).size()) == {10}
    assert runs.unreadable == {}
    assert runs.manifest.planned_runs == 80
    assert runs.completed["overall"].between(1, 10).all()


def test_records_say_what_the_table_says(tmp_path: Path) -> None:
    """runs.csv made again from the records has the same figures as the generated one, and calls can be read."""
    folder = write_results(tmp_path / "e", 8, shape=SMALL, records=8)
    written = pd.read_csv(folder / "runs.csv")
    store = Store.existing(folder)
    write_runs_csv(store)
    again = pd.read_csv(folder / "runs.csv")
    shared = [
        c for c in written.columns if c in again and c not in ("error", "fact_recall", "words", "busy_share")
    ]
    shared = [c for c in shared if not again[c].isna().all()]
    assert {"overall", "latency_s", "total_tokens", "report_digest", "prefill_s", "decode_s"} <= set(shared)
    pd.testing.assert_frame_equal(written[shared], again[shared], check_dtype=False)
    record = store.runs()[0]
    assert take_apart(store.calls(record), 0.0, record.latency_s or 0.0) == record.parts


def test_the_same_each_time(tmp_path: Path) -> None:
    """Equal arguments give equal tables, another seed another one."""
    tables = [
        (write_results(tmp_path / name, 40, shape=SMALL, seed=seed) / "runs.csv").read_bytes()
        for name, seed in (("a", 7), ("b", 7), ("c", 8))
    ]
    assert tables[0] == tables[1] != tables[2]
