"""One request of a run as the gateway saw it: what every figure about the wire is made of."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from shared.strict import Strict


class ServerTimings(Strict):
    """What the model server itself says of one call, in seconds; None where it does not say."""

    queue_s: float | None = None
    prefill_s: float | None = None
    decode_s: float | None = None


class Asked(Strict):
    """What a tool asked the model under test while it was called: no call of the framework's."""

    said: str
    """The model's answer, untrusted and cut; maybe empty."""
    prompt_tokens: int | None = None
    """As the model server counted them; None when it did not say."""
    completion_tokens: int | None = None
    seconds: float
    """Without waiting for a service's rate limit."""


class Call(Strict):
    """A model call or a tool call.

    Times are seconds since the lease was opened, on the machine's monotonic clock.
    """

    sequence: int
    """From 1, in the order of arrival, model and tool calls together."""
    kind: Literal["model", "tool"]
    path: str
    """Below the run's base path, e.g. "/v1/chat/completions" or "/tools/search"."""
    agent: str | None = None
    """Whose step it belongs to; None when it carries no agent's instructions: the framework's own call."""
    client: str = ""
    """The client's own name for itself (User-Agent)."""
    arrived_s: float
    forwarded_s: float | None = None
    """When the request had been read and was passed on; the last time, where it was more than once."""
    rate_limited: int = 0
    """How often the service said that it is asked too often (429)."""
    rate_limited_s: float = 0.0
    """Seconds before `forwarded_s` that this cost: from the first passing on until the last."""
    first_byte_s: float | None = None
    """First byte of the answer's body from the server."""
    first_token_s: float | None = None
    """Of a stream: the first event that carries text or a tool call. None when the answer came whole."""
    last_byte_s: float
    """Last byte of the answer from the server; of a failed call, when it was given up."""
    delivered_s: float | None = None
    """When the call was in the journal and its answer was handed to the client."""
    chunks_s: list[float] = Field(default_factory=list)
    """Of a stream: when each event came."""
    server: ServerTimings | None = None
    status: int
    """HTTP status given to the client; 499 when the client hung up."""
    streamed: bool = False
    retry_of: int | None = None
    """Sequence of the failed call that this one repeats: traffic, but not one more call of the plan's."""
    request: Any = None
    """The request body, parsed when it is JSON, else text."""
    response: Any = None
    """The answer's body: parsed JSON, or for a stream the list of its events."""
    prompt_tokens: int | None = None
    """As the model server counted them; None when it did not say."""
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    """Of the prompt's, those that the server had read before."""
    finish_reason: str | None = None
    error: str | None = None
    """Why the call failed, in words; None when it did not."""
    asked: list[Asked] = Field(default_factory=list)
    """Of a tool call: what the model was asked for it, in order. Its tokens are in no figure of the run."""
    recorded: Any = None
    """In a replay: the request that the answer was recorded for, when this one differs from it."""
    span_id: str | None = None
    """W3C id of this call in its run's trace."""

    @property
    def failed(self) -> bool:
        return self.error is not None or self.status >= 400
