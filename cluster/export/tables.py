"""`--to csv` and `--to parquet`: runs, calls, verdicts and checks, a file each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cluster.export.columns import CHECKS, Columns, calls_columns, runs_columns, verdicts_columns
from cluster.export.rows import Row, Rows
from cluster.export.write_tables import TableFile
from cluster.gateway.scrub import Scrubber
from cluster.progress import RunProgress
from shared.store import Store

TABLES = ("runs", "calls", "verdicts", "checks")


@dataclass(frozen=True)
class Written:
    path: Path
    rows: int
    noun: str


def write_tables(
    store: Store,
    folder: Path,
    file: type[TableFile],
    scrubber: Scrubber,
    progress: RunProgress,
    *,
    bodies: bool,
) -> Iterator[Written]:
    """Each table once it is whole, `runs` first; the folder exists.

    Raises:
        CorruptRecord: A record cannot be read.
        StoreFailed: A file cannot be written.
    """
    runs = sum(1 for _ in store.folder.glob("runs/*"))
    progress.stage("Reading verdicts")
    rows = Rows(store)
    own = rows.own_criteria
    tables: list[tuple[str, Columns, Iterator[list[Row]], int | None]] = [
        ("runs", runs_columns(own), _one_by_one(rows.runs()), runs),
        ("calls", calls_columns(bodies=bodies), rows.calls(bodies=bodies), runs),
        ("verdicts", verdicts_columns(own), _one_by_one(rows.verdicts()), None),
        ("checks", CHECKS, _one_by_one(rows.checks()), None),
    ]
    for name, columns, batches, total in tables:
        progress.stage(f"Exporting {name}", total)
        with file(folder, name, columns) as table:
            for batch in batches:
                for row in batch:
                    table.write(scrubber.scrubbed(row))
                progress.advance()
                progress.doing(f"{name}: {table.rows:,} so far")
        yield Written(table.path, table.rows, "row")


def _one_by_one(rows: Iterator[Row]) -> Iterator[list[Row]]:
    return ([row] for row in rows)
