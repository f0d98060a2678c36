"""Whoever answers a model call: a live server or a recording, all the same to what passes the answer on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cluster.gateway.exchange import Exchange

EVENT_STREAM = "text/event-stream"


class ServerFault(Exception):
    """There is no answer that can be passed on."""

    def __init__(self, status: int, message: str, code: str = "model_server") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that has begun, its body still to come."""

    status: int
    headers: Mapping[str, str]
    """Those that clients act on."""
    is_stream: bool
    """Whether the body is server-sent events."""
    chunks: AsyncIterator[bytes]
    """The body as it comes. Raises ServerFault when it breaks off or hangs."""
    release: Callable[[bool], None]
    """Nothing more is wanted of it. Given whether it came to its end; if not, it is broken off."""


class Source(Protocol):
    async def ask(self, exchange: Exchange, content: bytes) -> Answer:
        """Answer a model call. Raises ServerFault."""
        ...

    async def models(self, exchange: Exchange) -> Answer:
        """The list of models. Raises ServerFault."""
        ...
