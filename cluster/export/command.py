"""What `levelfield export` does: where the files go, and that nothing is overwritten unasked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.text import Text

from cluster.export.inspect_files import write_inspect_logs
from cluster.export.tables import Written, write_tables
from cluster.export.write_tables import CsvFile, ParquetFile, cannot_write
from cluster.gateway.scrub import Scrubber
from cluster.progress import RunProgress
from shared.errors import UserError
from shared.settings import BenchmarkSettings, load_settings
from shared.store import Store

Form = Literal["csv", "parquet", "inspect"]


def export_command(
    folder: Path, form: Form, out: Path | None, console: Console, *, bodies: bool, overwrite: bool
) -> None:
    """Write the experiment in `folder` in another form.

    Args:
        folder: An experiment's folder, which is only read.
        form: Of the files.
        out: The folder that they go into; None: export-<form> in the experiment's folder.
        console: Where progress and what was written are shown.
        bodies: Of calls, also what was asked and answered (csv and parquet; inspect always has it).
        overwrite: Whether files of an earlier export are replaced.

    Raises:
        UserError: `folder` holds no experiment or no run, or `out` is not free.
    """
    store = Store.existing(folder)
    if not store.last_attempts():
        raise UserError(f"{folder} holds no runs yet: there is nothing to export.")
    into = out or folder / f"export-{form}"
    _make_place(into, overwrite=overwrite)
    scrubber = Scrubber(*_keys(load_settings(None, store.manifest().settings)))
    progress = RunProgress(console)
    with progress.shown():
        written = list(_write(store, form, into, scrubber, progress, bodies=bodies))
    for file in written:
        count = f"{file.rows:,} {file.noun}{'' if file.rows == 1 else 's'}"
        console.print(Text(f"{file.path}  {count}, {_size(file.path)}"), soft_wrap=True)
    if form == "inspect":
        console.print(Text(f"Open it with: inspect view start --log-dir {into}"), soft_wrap=True)


def _write(
    store: Store, form: Form, into: Path, scrubber: Scrubber, progress: RunProgress, *, bodies: bool
) -> Iterator[Written]:
    if form == "inspect":
        return write_inspect_logs(store, into, scrubber, progress)
    file = CsvFile if form == "csv" else ParquetFile
    return write_tables(store, into, file, scrubber, progress, bodies=bodies)


def _make_place(into: Path, *, overwrite: bool) -> None:
    """Raises UserError where something of somebody's would be replaced."""
    if into.exists() and not into.is_dir():
        raise UserError(f"{into} is a file: name a folder as --out.")
    try:
        into.mkdir(parents=True, exist_ok=True)
        occupied = next(into.iterdir(), None)
    except OSError as error:
        raise cannot_write(into, error) from error
    if occupied and not overwrite:
        raise UserError(
            f"{into} is not empty (it holds {occupied.name}): name another --out, or give --overwrite to "
            "replace the files of an earlier export."
        )


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"


def _keys(settings: BenchmarkSettings) -> Iterator[str]:
    """Every key of a server that is known here; what is written holds none of them."""
    for key in (settings.llm_api_key, settings.judge_api_key):
        if key:
            yield key.get_secret_value()
    for server in settings.judge_servers.values():
        if server.api_key_variable and (secret := os.environ.get(server.api_key_variable)):
            yield secret
