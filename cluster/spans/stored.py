"""Send an experiment that is already on disk."""

from __future__ import annotations

from cluster.spans.attempt import spans_of
from cluster.spans.endpoint import Endpoint
from cluster.spans.scene import Scene
from shared.store import Store


def send_stored(store: Store, endpoint: Endpoint, *, content: bool) -> tuple[int, str | None]:
    """How many attempts were sent, and why the next was not; None when all were.

    Made again from the records rather than read from the spans files: older experiments have none.
    """
    scene = Scene.of(store.manifest(), content=content)
    sent = 0
    try:
        for record in store.attempts():
            reason = endpoint.send(spans_of(record, store.calls(record), scene))
            if reason:
                return sent, reason
            sent += 1
    finally:
        endpoint.close()
    return sent, None
