"""The model server as it answers now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
from yarl import URL

from cluster.gateway.exchange import Exchange
from cluster.gateway.log import note
from cluster.gateway.rate_limit import SHARE_TO_WAIT, TOO_OFTEN, pause_s
from cluster.gateway.source import EVENT_STREAM, Answer, ServerFault

PASSED_ON = ("Content-Type", "Retry-After")
"""Headers of an answer that clients act on."""

NO_SERVER = "No model server is behind this node: it answers from recordings only."
CONNECT_TIMEOUT_S = 10.0
END_OF_BODY_S = 0.5
"""For what follows a stream's last event, which is normally there already."""


class LiveServer:
    """The one place that knows the server's key."""

    def __init__(self, base_url: str, api_key: str | None, session: aiohttp.ClientSession) -> None:
        self._base = base_url.rstrip("/")
        self._session = session
        # The client's own key never gets here; compression would hide when bytes came.
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._urls: dict[str, URL] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def ask(self, exchange: Exchange, content: bytes) -> Answer:
        """Of a service that is asked too often, again later: its limit is not the framework's fault."""
        most_s = SHARE_TO_WAIT * exchange.lease.call_timeout_s()
        while True:
            answer = await self._request("POST", exchange, content)
            if answer.status != TOO_OFTEN:
                return answer
            exchange.rate_limited += 1
            wait_s = pause_s(answer.headers, exchange.rate_limited)
            if wait_s is None or exchange.rate_limited_s + wait_s > most_s:
                return answer
            answer.release(False)
            await self._wait(exchange, wait_s)

    async def _wait(self, exchange: Exchange, wait_s: float) -> None:
        note("rate_limited", exchange.lease.request, sequence=exchange.sequence, wait_s=wait_s)
        refused_s = exchange.forwarded_s
        try:
            await asyncio.sleep(wait_s)
        finally:  # the client may hang up, or the run end, meanwhile
            exchange.forwarded_s = exchange.lease.elapsed_s()
            exchange.rate_limited_s += exchange.forwarded_s - (refused_s or exchange.arrived_s)

    async def models(self, exchange: Exchange) -> Answer:
        return await self._request("GET", exchange, None)

    async def _request(self, method: str, exchange: Exchange, content: bytes | None) -> Answer:
        if not self._base:
            raise ServerFault(404, NO_SERVER, "no_model_server")
        trace_id = exchange.lease.request.trace_id
        trace = {"traceparent": f"00-{trace_id}-{exchange.span_id}-01"} if exchange.span_id else {}
        left_s = exchange.lease.call_timeout_s(exchange.rate_limited_s)
        timeout = aiohttp.ClientTimeout(total=left_s, sock_connect=CONNECT_TIMEOUT_S)
        try:
            response = await self._session.request(
                method,
                self._url(exchange.path),
                data=content,
                headers=self._headers | trace,
                timeout=timeout,
                allow_redirects=False,
            )
        except TimeoutError:
            raise ServerFault(504, _no_answer(exchange)) from None
        except aiohttp.ClientError as error:
            raise ServerFault(502, f"The model server cannot be reached: {type(error).__name__}.") from None
        if 300 <= response.status < 400:
            response.close()
            raise ServerFault(502, f"The model server answered with a redirect ({response.status}).")
        return Answer(
            status=response.status,
            headers={name: response.headers[name] for name in PASSED_ON if name in response.headers},
            is_stream=response.content_type == EVENT_STREAM,
            chunks=_Body(exchange, response.content),
            release=lambda ended: self._release(response, ended=ended),
        )

    def _url(self, path: str) -> URL:
        if path not in self._urls:
            self._urls[path] = URL(self._base + path.removeprefix("/v1"))
        return self._urls[path]

    def _release(self, response: aiohttp.ClientResponse, *, ended: bool) -> None:
        if not ended:
            response.close()
            return
        if response.closed:
            return
        # A connection is used again only when its answer was read to the end; nobody waits for that.
        task = asyncio.create_task(_read_to_end(response))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


class _Body:
    """The bytes of an answer as they come. No generator: one that is left before its end costs a task."""

    def __init__(self, exchange: Exchange, content: aiohttp.StreamReader) -> None:
        self._exchange = exchange
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._content.readany()
        except TimeoutError:
            raise ServerFault(504, _no_answer(self._exchange)) from None
        except aiohttp.ClientError as error:
            broke_off = f"The model server's answer broke off: {type(error).__name__}."
            raise ServerFault(502, broke_off) from None
        if not chunk:
            raise StopAsyncIteration
        return chunk


async def _read_to_end(response: aiohttp.ClientResponse) -> None:
    """Some servers keep a stream open after its last event: such a connection is closed."""
    try:
        async with asyncio.timeout(END_OF_BODY_S):
            await response.content.readany()
    except (TimeoutError, aiohttp.ClientError):
        pass
    finally:
        response.release()


def _no_answer(exchange: Exchange) -> str:
    return f"The model server did not answer within {exchange.lease.request.request_timeout_s:g} s."
