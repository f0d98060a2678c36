"""Calls on disk: one JSON line each, safe there before the call's answer is complete."""

from __future__ import annotations

import os
from pathlib import Path

from shared.records import Call


class JournalFailed(Exception):  # noqa: N818 - it says what happened to the journal
    """The line is not on disk; the journal is as it was before."""


class Journal:
    """An append-only file. Not for use by two threads at once."""

    def __init__(self, path: Path) -> None:
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalFailed(f"cannot open the journal {path}: {error.strerror}") from error
        self.path = path

    def write(self, call: Call) -> None:
        line = memoryview(call.model_dump_json().encode() + b"\n")
        length_before = os.fstat(self._fd).st_size
        try:
            while line:
                line = line[os.write(self._fd, line) :]
            os.fsync(self._fd)
        except OSError as error:
            self._forget_after(length_before)
            raise JournalFailed(f"the journal cannot be written: {error.strerror}") from error

    def close(self) -> None:
        os.close(self._fd)

    def _forget_after(self, length: int) -> None:
        """Half a line would make the next one unreadable too."""
        try:
            os.ftruncate(self._fd, length)
        except OSError:
            return
