"""A run's memory, bounded: what takes more is ended before the machine has none left for the others."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import psutil

from cluster.process_tree import end_tree, own_mib, tree_of

SAMPLE_S = 0.2
"""A process fills about a gigabyte in that time: by so much the bound may be passed, and by several times
that in a new child (LOOK_EVERY)."""
LOOK_EVERY = 10
"""Samples between two looks for new children: a look takes 7 ms, a sample 0.02."""
STOP_TIMEOUT_S = 5.0


class MemoryWatch:
    """Inside the block the process `pid` and its descendants are ended once they hold over `most_mib`."""

    def __init__(self, pid: int, most_mib: float, sample_s: float = SAMPLE_S) -> None:
        self._pid = pid
        self._most_mib = most_mib
        self._sample_s = sample_s
        self._stopping = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True, name="memory-watch")
        self.exceeded: str | None = None
        """In words, when it was."""

    def __enter__(self) -> Self:
        self._watching.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._watching.join(STOP_TIMEOUT_S)

    def _watch(self) -> None:
        tree: list[psutil.Process] = []
        number = 0
        while not self._stopping.wait(self._sample_s):
            if number % LOOK_EVERY == 0:
                tree = tree_of(self._pid)
            number += 1
            held_mib = sum(map(own_mib, tree))
            if held_mib > self._most_mib:
                self.exceeded = (
                    f"The framework's processes held {held_mib:,.0f} MiB of memory; a run may hold "
                    f"{self._most_mib:,.0f} (limits.memory_mib)."
                )
                end_tree(self._pid)
                return
