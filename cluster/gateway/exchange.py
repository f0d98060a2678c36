"""One model call under way, and the record that it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cluster.gateway.answers import Reading
from cluster.gateway.lease import OpenLease
from cluster.gateway.retries import Fingerprint
from shared.calls import Call

RECORDING_ENDED = 424
"""HTTP's "failed dependency": a replay has no answer left. Clients do not retry it."""
CLIENT_GONE = 499
"""As nginx logs a client that hung up; nobody receives it."""
GONE = "the client hung up, or its run ended"


@dataclass(slots=True)
class Exchange:
    """What is known of the call so far. Times as in `Call`."""

    lease: OpenLease
    sequence: int
    path: str
    arrived_s: float
    client: str = ""
    span_id: str | None = None
    request: Any = None
    sent: Fingerprint | None = None
    streamed: bool = False
    retry_of: int | None = None
    forwarded_s: float | None = None
    rate_limited: int = 0
    rate_limited_s: float = 0.0
    first_byte_s: float | None = None
    first_token_s: float | None = None
    last_byte_s: float | None = None
    chunks_s: list[float] = field(default_factory=list)
    status: int = CLIENT_GONE
    reading: Reading = field(default_factory=Reading)
    recorded: Any = None
    error: str | None = None
    kept: bool = False
    """Whether it is in the journal."""

    def call(self) -> Call:
        reading = self.reading
        return Call(
            sequence=self.sequence,
            kind="model",
            path=self.path,
            client=self.client,
            arrived_s=self.arrived_s,
            forwarded_s=self.forwarded_s,
            rate_limited=self.rate_limited,
            rate_limited_s=self.rate_limited_s,
            first_byte_s=self.first_byte_s,
            first_token_s=self.first_token_s,
            last_byte_s=self.lease.elapsed_s() if self.last_byte_s is None else self.last_byte_s,
            chunks_s=self.chunks_s,
            server=reading.server if self.lease.request.has_model_times else None,
            status=self.status,
            streamed=self.streamed,
            retry_of=self.retry_of,
            request=self.request,
            response=reading.body,
            prompt_tokens=reading.prompt_tokens,
            completion_tokens=reading.completion_tokens,
            cached_tokens=reading.cached_tokens,
            finish_reason=reading.finish_reason,
            error=self.error or reading.error,
            recorded=self.recorded,
            span_id=self.span_id,
        )
