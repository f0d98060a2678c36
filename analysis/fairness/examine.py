"""The main path of the proof: run after run, each request held against what was handed over."""

from __future__ import annotations

from pathlib import Path

from analysis.fairness.conclude import conclude
from analysis.fairness.examine_run import RunExamination
from analysis.fairness.result import Fairness
from analysis.fairness.tally import Tally
from analysis.fairness.yardstick import read_yardstick
from shared.errors import CorruptRecord
from shared.store import Store


def examine(store: Store) -> Fairness:
    """What every framework sent in the runs that count. Raises CorruptRecord, ResultsMismatch."""
    records = store.runs()
    yardstick = read_yardstick(store, records)
    tally = Tally()
    for record in records:
        try:
            calls = store.calls(record)
        except CorruptRecord:
            tally.unchecked["runs whose calls are missing or do not match their digest"] += 1
            continue
        RunExamination(record, yardstick, tally).examine(calls)
    return conclude(tally, yardstick, store.manifest())


def examine_folder(source: Path, task: str | None = None) -> Fairness | None:
    """None for a table of runs without records: its requests are not known."""
    if not (source / "runs").is_dir() or not (source / "manifest.json").is_file():
        return None
    return examine(Store.existing(source, task))
