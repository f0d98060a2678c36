"""Calls on disk, one JSON object per line, each there before its answer is delivered."""

from __future__ import annotations

import os
from pathlib import Path

from cluster.gateway.lease import OpenLease
from shared.calls import Call


class Journal:
    """A spool file per lease, so that calls survive a crash until the run's record is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self._files: dict[str, int] = {}

    def open(self, lease: OpenLease) -> None:
        self._number += 1
        path = self._folder / f"lease-{self._number}.jsonl"
        self._files[lease.token] = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def write(self, lease: OpenLease, call: Call) -> None:
        """Raises OSError when the disk does not take it."""
        file = self._files[lease.token]
        line = call.model_dump_json().encode() + b"\n"
        while line:
            line = line[os.write(file, line) :]
        os.fdatasync(file)

    def close(self, lease: OpenLease) -> None:
        os.close(self._files.pop(lease.token))
