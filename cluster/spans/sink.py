"""Where the driver puts finished attempts to have them as traces."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Self

from cluster.spans.attempt import spans_of
from cluster.spans.endpoint import Endpoint, url_from
from cluster.spans.otlp import otlp_line
from cluster.spans.scene import Scene
from cluster.spans.sender import FLUSH_S, Sender
from shared.calls import Call
from shared.records import RunRecord
from shared.store import Store


class SpanSink:
    """Each trace is written beside its record, and sent too where the environment names an endpoint."""

    def __init__(self, store: Store, *, content: bool, warn: Callable[[str], None]) -> None:
        """`content`: the setting `trace_content`. The store has its manifest by the first `keep`."""
        self._store = store
        self._content = content
        self._warn = warn
        url = url_from(os.environ)
        self._endpoint = Endpoint(url) if url else None
        self._sender = Sender(self._endpoint, self._tell) if self._endpoint else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def keep(self, record: RunRecord, calls: Sequence[Call]) -> None:
        """After `Store.write_run`. Takes milliseconds, whatever the endpoint does. Raises StoreFailed."""
        spans = spans_of(record, calls, self._scene)
        self._store.write_spans(record, otlp_line(spans))
        if self._sender:
            self._sender.offer(spans)

    def close(self, timeout_s: float = FLUSH_S) -> None:
        """Wait that long for what is still to be sent."""
        if self._sender:
            self._sender.close(timeout_s)

    @cached_property
    def _scene(self) -> Scene:
        return Scene.of(self._store.manifest(), content=self._content)

    def _tell(self, reason: str) -> None:
        shown = self._endpoint.shown if self._endpoint else ""
        self._warn(
            f"{shown} does not take the traces ({reason}). They are kept with the records. "
            f"To send them later: levelfield spans {self._store.folder}"
        )
