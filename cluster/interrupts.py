"""Ctrl-C once: finish the run in flight and keep everything. Twice, or SIGTERM: stop now."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """`stopping` turns true at the first Ctrl-C; the second raises KeyboardInterrupt."""

    def __init__(self, announce: Callable[[str], None]) -> None:
        self._announce = announce
        self.stopping = False

    def on_interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        if self.stopping:
            raise KeyboardInterrupt
        self.stopping = True
        self._announce("Stopping after the run in flight; Ctrl-C again stops now and loses that run.")


def _stop_now(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def handled_interrupts(announce: Callable[[str], None]) -> Iterator[Interrupts]:
    """Only in the main thread, as Python's signals are."""
    interrupts = Interrupts(announce)
    handlers = {signal.SIGINT: interrupts.on_interrupt, signal.SIGTERM: _stop_now}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
