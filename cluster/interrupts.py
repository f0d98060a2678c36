"""Ctrl-C once: finish the run in flight and keep everything. Twice, or SIGTERM: stop now."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class StoppedEarly(Exception):
    """The user stopped the plan; what was complete is kept."""


class Interrupts:
    """`stopping` turns true at the first Ctrl-C; the second raises KeyboardInterrupt."""

    def __init__(self, announce: Callable[[str], None]) -> None:
        self._announce = announce
        self.stopping = False

    def _on_interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        if self.stopping:
            raise KeyboardInterrupt
        self.stopping = True
        self._announce("Stopping after the run in flight; Ctrl-C again stops now and loses that run.")


@contextmanager
def handled_interrupts(announce: Callable[[str], None]) -> Iterator[Interrupts]:
    """Only in the main thread, as Python's signals are."""
    interrupts = Interrupts(announce)

    def on_terminate(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = (
        signal.signal(signal.SIGINT, interrupts._on_interrupt),
        signal.signal(signal.SIGTERM, on_terminate),
    )  # noqa: SLF001
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
