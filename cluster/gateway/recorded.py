"""What a call was answered with, taken from its record, to answer a later call the same way."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from shared.calls import Call
from shared.strict import Strict


class RecordedAnswer(Strict):
    """One answer. Times are seconds since the request was passed on."""

    path: str
    request: Any = None
    streamed: bool = False
    """Whether `response` is the list of a stream's events."""
    status: int
    response: Any = None
    error: str | None = None
    first_byte_s: float = Field(default=0, ge=0)
    chunks_s: list[float] = Field(default_factory=list)
    """Of a stream: when each event came."""
    last_byte_s: float = Field(default=0, ge=0)


def recorded_answer(call: Call) -> RecordedAnswer:
    """Of a model call that was recorded; one that failed gives a failure."""
    began = call.arrived_s if call.forwarded_s is None else call.forwarded_s
    last_byte_s = max(0.0, call.last_byte_s - began)
    first_byte_s = last_byte_s if call.first_byte_s is None else max(0.0, call.first_byte_s - began)
    return RecordedAnswer(
        path=call.path,
        request=call.request,
        streamed=call.streamed and isinstance(call.response, list),
        status=call.status,
        response=call.response,
        error=call.error,
        first_byte_s=first_byte_s,
        chunks_s=[max(0.0, at - began) for at in call.chunks_s],
        last_byte_s=last_byte_s,
    )
