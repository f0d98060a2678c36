"""The main path of the proof: run after run, each request held against what was handed over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis.fairness.conclude import conclude
from analysis.fairness.examine_run import RunExamination
from analysis.fairness.result import Fairness
from analysis.fairness.tally import Tally
from analysis.fairness.yardstick import read_yardstick
from analysis.read_store import Stored
from shared.errors import CorruptRecord
from shared.records import RunRecord
from shared.store import Store


def examine(store: Store, records: Sequence[RunRecord] | None = None) -> Fairness:
    """What every framework sent in the runs that count. Raises CorruptRecord, ResultsMismatch.

    `records`: those runs, where they have been read already.
    """
    records = store.runs() if records is None else records
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


def examine_folder(source: Path, task: str | None = None, stored: Stored | None = None) -> Fairness | None:
    """None for a table of runs without records: its requests are not known.

    `stored`: its records, where they have been read already.
    """
    if not (source / "runs").is_dir() or not (source / "manifest.json").is_file():
        return None
    if stored is None or stored.store is None:
        return examine(Store.existing(source, task))
    return examine(stored.store, stored.runs)
