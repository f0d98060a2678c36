"""Python's search for cycles, less often."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

NEW_OBJECTS = 100_000
"""Between two searches, 700 by default: of the report of 10,000 runs they were a third of the time."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """For work that makes millions of objects and keeps them: records, calls, the cells of tables.

    What no cycle holds is given back at once, as always.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], NEW_OBJECTS) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
