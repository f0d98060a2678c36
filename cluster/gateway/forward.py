"""Pass one model call on, and keep what was said and when."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from cluster.gateway.answers import (
    DONE,
    Reading,
    event_data,
    is_usage_only,
    read_body,
    read_events,
    split_events,
)
from cluster.gateway.lease import OpenLease
from cluster.gateway.parsing import parse_json
from shared.calls import Call

MAX_ANSWER_BYTES = 64 * 2**20
"""A hundred times the longest answer a context window allows; more is a fault of the server."""

MAX_EVENT_BYTES = 4 * 2**20
"""One event holds a token or, at the end of a Responses stream, the whole answer."""

PASSED_ON = ("Content-Type", "Retry-After")
"""Headers of an answer that clients act on."""

CLIENT_GONE = 499
"""As nginx logs a client that hung up; nobody receives it."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """The model server, and the one place that knows its key."""

    base_url: str
    """Ends in /v1."""
    api_key: str | None
    session: aiohttp.ClientSession

    def headers(self) -> dict[str, str]:
        """The client's own key never gets here; compression would hide when bytes came."""
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        return headers | ({"Authorization": f"Bearer {self.api_key}"} if self.api_key else {})


class ServerFault(Exception):
    """The model server did not give an answer that can be passed on."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Exchange:
    """One call under way; becomes a Call."""

    lease: OpenLease
    sequence: int
    path: str
    arrived_s: float
    request: Any = None
    streamed: bool = False
    forwarded_s: float | None = None
    first_byte_s: float | None = None
    status: int = CLIENT_GONE
    reading: Reading = field(default_factory=Reading)
    error: str | None = None
    kept: bool = False
    """Whether it is in the journal."""

    def call(self) -> Call:
        return Call(
            sequence=self.sequence,
            kind="model",
            path=self.path,
            arrived_s=self.arrived_s,
            forwarded_s=self.forwarded_s,
            first_byte_s=self.first_byte_s,
            last_byte_s=self.lease.elapsed_s(),
            status=self.status,
            streamed=self.streamed,
            request=self.request,
            response=self.reading.body,
            prompt_tokens=self.reading.prompt_tokens,
            completion_tokens=self.reading.completion_tokens,
            cached_tokens=self.reading.cached_tokens,
            finish_reason=self.reading.finish_reason,
            error=self.error or self.reading.error,
        )


def read_request(exchange: Exchange, content: bytes) -> bytes:
    """Note the request, and give what to send on: unchanged, but that a stream is asked for its usage."""
    try:
        body = parse_json(content)
    except ValueError:
        exchange.request = content.decode("utf-8", "replace")
        return content
    exchange.request = body
    if not isinstance(body, dict) or body.get("stream") is not True:
        return content
    exchange.streamed = True
    if _asks_for_usage(body) or exchange.path != "/v1/chat/completions":
        return content
    options = body.get("stream_options")
    options = options if isinstance(options, dict) else {}
    return json.dumps({**body, "stream_options": {**options, "include_usage": True}}).encode()


async def open_upstream(
    upstream: Upstream, exchange: Exchange, method: str, content: bytes
) -> aiohttp.ClientResponse:
    """The server's answer, its body not read yet. Raises ServerFault."""
    exchange.forwarded_s = exchange.lease.elapsed_s()
    url = upstream.base_url + exchange.path.removeprefix("/v1")
    timeout = aiohttp.ClientTimeout(total=exchange.lease.call_timeout_s(), sock_connect=10)
    try:
        answer = await upstream.session.request(
            method,
            url,
            data=content or None,
            headers=upstream.headers(),
            timeout=timeout,
            allow_redirects=False,
        )
    except TimeoutError:
        raise ServerFault(504, _no_answer(exchange)) from None
    except aiohttp.ClientError as error:
        raise ServerFault(502, f"The model server cannot be reached: {type(error).__name__}.") from None
    if 300 <= answer.status < 400:
        answer.close()
        raise ServerFault(502, f"The model server answered with a redirect ({answer.status}).")
    return answer


async def read_whole(exchange: Exchange, answer: aiohttp.ClientResponse) -> bytes:
    """All of a plain answer. Raises ServerFault when it breaks off, hangs or is too large."""
    content = bytearray()
    async for chunk in _chunks(exchange, answer):
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            answer.close()
            raise ServerFault(502, f"The model server's answer is over {MAX_ANSWER_BYTES:,} bytes.")
    exchange.reading = read_body(bytes(content), answer.status)
    return bytes(content)


async def pass_stream(
    exchange: Exchange, answer: aiohttp.ClientResponse, client: web.StreamResponse, *, hide_usage: bool
) -> bytes:
    """Pass events on as they come. What ends the stream for the client is given back, to be sent last."""
    seen: list[bytes] = []
    rest = b""
    try:
        async for events, rest in _events(exchange, answer):  # noqa: B007 - what is left of the last one counts
            for event in events:
                data = event_data(event)
                if data is not None:
                    seen.append(data)
                if data != DONE and not (hide_usage and data and is_usage_only(data)):
                    await client.write(event)
            if DONE in seen[-1:]:
                break  # some servers keep the connection open after it
    except ServerFault as fault:
        exchange.error = str(fault)
    is_done = DONE in seen[-1:]
    exchange.reading = read_events(seen, complete=is_done or exchange.path != "/v1/chat/completions")
    return b"data: [DONE]\n\n" if is_done else rest


async def _events(
    exchange: Exchange, answer: aiohttp.ClientResponse
) -> AsyncIterator[tuple[list[bytes], bytes]]:
    """Whole events as they come, with what is not whole yet. Raises ServerFault."""
    rest, size = b"", 0
    async for chunk in _chunks(exchange, answer):
        size += len(chunk)
        events, rest = split_events(rest + chunk)
        if size > MAX_ANSWER_BYTES or len(rest) > MAX_EVENT_BYTES:
            answer.close()
            raise ServerFault(502, f"The stream, or one event of it, is too large: {size:,} bytes so far.")
        yield events, rest


async def _chunks(exchange: Exchange, answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """An answer's bytes as they come, the first one timed. Raises ServerFault."""
    try:
        async for chunk in answer.content.iter_any():
            if exchange.first_byte_s is None:
                exchange.first_byte_s = exchange.lease.elapsed_s()
            yield chunk
    except TimeoutError:
        raise ServerFault(504, _no_answer(exchange)) from None
    except aiohttp.ClientError as error:
        raise ServerFault(502, f"The model server's answer broke off: {type(error).__name__}.") from None


def hides_usage(exchange: Exchange) -> bool:
    """Whether the stream's usage was asked for by us and not by the client."""
    return exchange.streamed and not _asks_for_usage(exchange.request)


def _asks_for_usage(body: Any) -> bool:
    options = body.get("stream_options") if isinstance(body, dict) else None
    return isinstance(options, dict) and options.get("include_usage") is True


def _no_answer(exchange: Exchange) -> str:
    return f"The model server did not answer within {exchange.lease.request.request_timeout_s:g} s."
