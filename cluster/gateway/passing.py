"""Answers on their way to the client: timed as they come, read only when they are there."""

from __future__ import annotations

from cluster.gateway.answers import read_body, read_events
from cluster.gateway.events import (
    CHAT,
    DONE,
    RESPONSES,
    ends_stream,
    event_data,
    is_plain_delta,
    is_usage_only,
    split_events,
    whole_events,
)
from cluster.gateway.exchange import Exchange
from cluster.gateway.source import Answer, ServerFault

PLACES = 6
"""Decimals of a stream's times: microseconds."""

MAX_ANSWER_BYTES = 64 * 2**20
"""A hundred times the longest answer a context window allows; more is a fault of the server."""

MAX_EVENT_BYTES = 4 * 2**20
"""One event holds a token or, at the end of a Responses stream, the whole answer."""


async def read_whole(exchange: Exchange, answer: Answer) -> bytes:
    """All of a plain answer. Raises ServerFault when it breaks off, hangs or is too large."""
    parts: list[bytes] = []
    size = 0
    async for chunk in answer.chunks:
        note_arrival(exchange)
        parts.append(chunk)
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            raise ServerFault(502, f"The model server's answer is over {MAX_ANSWER_BYTES:,} bytes.")
    content = b"".join(parts)
    exchange.reading = read_body(content, answer.status)
    return content


def note_arrival(exchange: Exchange) -> float:
    """Of bytes from the server, now."""
    now = exchange.last_byte_s = exchange.lease.elapsed_s()
    if exchange.first_byte_s is None:
        exchange.first_byte_s = now
    return now


class PassingStream:
    """The events of one stream. Its last one is held back until the call is on disk."""

    def __init__(self, exchange: Exchange, *, hide_usage: bool) -> None:
        self._exchange = exchange
        self._hide_usage = hide_usage
        self._came: list[tuple[float, bytes]] = []
        self._rest = b""
        self._size = 0
        self.ending = b""
        """What is to be sent last."""
        self.ended = False
        """Whether the last event has come."""

    def take(self, chunk: bytes) -> bytes:
        """Note what came; what may go to the client at once is given back.

        Raises:
            ServerFault: The stream, or one event of it, is too large.
        """
        now = note_arrival(self._exchange)
        self._size += len(chunk)
        whole, self._rest = whole_events(self._rest, chunk)
        if self._size > MAX_ANSWER_BYTES or len(self._rest) > MAX_EVENT_BYTES:
            self._came.clear()  # like a plain answer that is too large, it is not recorded
            raise ServerFault(
                502, f"The stream, or one event of it, is too large: {self._size:,} bytes so far."
            )
        if is_plain_delta(whole):
            self._came.append((now, whole))
            return whole
        return b"".join(self._sift(now, whole))

    def close(self) -> None:
        """The server has nothing more to say. A last event may lack its closing blank line."""
        data = event_data(self._rest)
        self.ending = self._rest
        if data is not None and ends_stream(self._exchange.path, data):
            self._end_with(self._exchange.lease.elapsed_s(), self._rest, data)

    def read(self) -> None:
        """Have the exchange know what the events said, however far they came."""
        exchange = self._exchange
        events: list[bytes] = []
        times_s: list[float] = []
        for came_s, piece in self._came:
            for event in split_events(piece)[0] or [piece]:
                data = event_data(event)
                if data is not None:
                    events.append(data)
                    times_s.append(came_s)
        complete = self.ended or exchange.path not in (CHAT, RESPONSES)
        exchange.reading = read_events(events, complete=complete)
        exchange.chunks_s = [round(came_s, PLACES) for came_s in times_s]
        if exchange.reading.first_token is not None:
            exchange.first_token_s = times_s[exchange.reading.first_token]

    def _sift(self, now: float, whole: bytes) -> list[bytes]:
        passed = []
        for event in split_events(whole)[0]:
            data = event_data(event)
            if data is not None and ends_stream(self._exchange.path, data):
                self._end_with(now, event, data)
                break
            self._came.append((now, event))
            if not (self._hide_usage and data is not None and is_usage_only(data)):
                passed.append(event)
        return passed

    def _end_with(self, now: float, event: bytes, data: bytes) -> None:
        self.ended, self.ending = True, event
        if data != DONE:
            self._came.append((now, event))
