"""Sends traces from a thread of its own, so that nobody waits for the endpoint."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from queue import Full, Queue
from threading import Event, Lock, Thread

from opentelemetry.sdk.trace import ReadableSpan

from cluster.spans.endpoint import Endpoint

QUEUED = 100
"""Attempts that wait for an endpoint that is slower than the runs; further ones are not sent."""
FLUSH_S = 5.0
"""At the end, for what is still to be sent: enough for a full queue and an endpoint that answers at once."""


class Sender:
    """`offer` until `close`. The first trace that is lost is told, once, with the reason."""

    def __init__(self, endpoint: Endpoint, on_loss: Callable[[str], None], queued: int = QUEUED) -> None:
        self._endpoint = endpoint
        self._on_loss = on_loss
        self._untold = Lock()
        self._closing = Event()
        self._queue: Queue[Sequence[ReadableSpan] | None] = Queue(queued)
        self._thread = Thread(target=self._work, name="levelfield-spans", daemon=True)
        self._thread.start()

    def offer(self, spans: Sequence[ReadableSpan]) -> None:
        """Never waits."""
        try:
            self._queue.put_nowait(spans)
        except Full:
            self._lost("it is too slow")

    def close(self, timeout_s: float) -> None:
        """Wait for what is still to be sent, but no longer than this."""
        deadline = time.monotonic() + timeout_s
        try:
            self._queue.put(None, timeout=timeout_s)
            self._thread.join(deadline - time.monotonic())
        except Full:
            pass
        unfinished = self._thread.is_alive()
        self._closing.set()
        self._endpoint.close()
        if unfinished:
            self._lost("it is too slow")

    def _work(self) -> None:
        while (spans := self._queue.get()) is not None and not self._closing.is_set():
            reason = self._endpoint.send(spans)
            if reason:
                self._lost(reason)

    def _lost(self, reason: str) -> None:
        if self._untold.acquire(blocking=False):  # held ever after
            self._on_loss(reason)
