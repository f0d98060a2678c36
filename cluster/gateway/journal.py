"""Calls in a file, one JSON object per line, each there before its answer is delivered.

Written, not flushed to the disk: what a killed process has written stays, and a machine that loses its power
loses the run with it, which has no record yet and is repeated. A flush per call would take from 0.2 to 4 ms
of a run, by what else uses the disk. The run's record and calls are flushed when they are stored.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from cluster.gateway.lease import OpenLease
from cluster.gateway.log import note
from cluster.gateway.parsing import dump_json
from cluster.gateway.scrub import Scrubber
from shared.calls import Call


class Journal:
    """A spool file per lease, so that calls survive a crash until the run's record is written.

    A file stays until the next lease's is closed: by then its calls are with whoever asked for the report.
    """

    def __init__(self, folder: Path, scrubber: Scrubber) -> None:
        self._folder = folder
        self._scrubber = scrubber
        self._number = 0
        self._files: dict[str, tuple[int, Path]] = {}
        self._last_closed: Path | None = None

    def open(self, lease: OpenLease) -> Path:
        """The file of its calls. Raises OSError."""
        path = self._next_path()
        self._files[lease.token] = (
            os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600),
            path,
        )
        return path

    def record(self, lease: OpenLease, call: Call) -> bool:
        """Put a call on disk without its secrets, and count it. Whether the disk took it."""
        line = dump_json(_fields(call))
        if self._scrubber.finds(line):
            call = Call.model_validate(self._scrubber.scrubbed(_fields(call)))
            line = dump_json(_fields(call))
        try:
            self._write(lease, line + b"\n")
        except OSError as error:
            lease.journal_error = f"the gateway's journal: {error.strerror}"
            note("journal_failed", lease.request, span_id=call.span_id, error=lease.journal_error)
            lease.end(call.model_copy(update={"error": lease.journal_error, "status": 507}))
            return False
        lease.end(call)
        return True

    def close(self, lease: OpenLease) -> None:
        file, path = self._files.pop(lease.token)
        os.close(file)
        if self._last_closed:
            self._last_closed.unlink(missing_ok=True)
        self._last_closed = path

    def _write(self, lease: OpenLease, line: bytes) -> None:
        file, _ = self._files[lease.token]
        before = os.lseek(file, 0, os.SEEK_END)
        try:
            while line:
                line = line[os.write(file, line) :]
        except OSError:
            with contextlib.suppress(OSError):  # half a line would spoil the next one
                os.ftruncate(file, before)
            raise

    def _next_path(self) -> Path:
        """Past the files that a gateway before this one may have left."""
        while True:
            self._number += 1
            path = self._folder / f"lease-{self._number}.jsonl"
            if not path.exists():
                return path


def _fields(call: Call) -> dict[str, Any]:
    """As pydantic would dump it, without walking through the bodies, which are plain JSON already."""
    fields = {name: value for name, value in vars(call).items() if value is not None}
    if call.server:
        fields["server"] = vars(call.server)
    if call.asked:
        fields["asked"] = [vars(asked) for asked in call.asked]
    return fields
