"""What the disk under the journal takes, so that a reader can tell it from what the gateway takes."""

from __future__ import annotations

import os
import time
from pathlib import Path

LINE_BYTES = 10_000
"""A journalled call of a 6 KB request and a 3 KB answer."""


def synced_writes_ms(folder: Path, count: int) -> list[float]:
    """Milliseconds of appending a line and having it on disk, one after the other."""
    line, taken = b"x" * LINE_BYTES, []
    path = folder / "disk-probe"
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        for _ in range(count):
            began = time.monotonic()
            os.write(file, line)
            os.fdatasync(file)
            taken.append(1e3 * (time.monotonic() - began))
    finally:
        os.close(file)
        path.unlink()
    return taken
