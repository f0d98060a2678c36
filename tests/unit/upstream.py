"""A model server that does what a test asks for: a real HTTP server on loopback."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

ANSWER = {
    "id": "x",
    "object": "chat.completion",
    "model": "m",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "hé"}, "finish_reason": "stop"},
    ],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}},
}

DELTA = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}\n\n'
END = b"data: [DONE]\n\n"

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeServer:
    """`behave` is called for each POST; the bodies and headers that came are kept."""

    def __init__(self) -> None:
        self.behave: Behaviour = plain
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.gone = threading.Event()
        """Set when a client hung up on a handler."""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()
        assert self._ready.wait(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def reset(self) -> None:
        """As new, for the next test."""
        self.behave = plain
        self.bodies.clear()
        self.headers.clear()
        self.gone.clear()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()

    async def _start(self) -> None:
        app = web.Application(client_max_size=2**30)
        app.router.add_post("/v1/{rest:.*}", self._handle)
        app.router.add_get("/v1/models", self._models)
        runner = web.AppRunner(app, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]

    async def _models(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response({"data": [{"id": "m"}]})

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        try:
            self.bodies.append(json.loads(content))
        except ValueError:
            self.bodies.append(content)
        self.headers.append(dict(request.headers))
        try:
            return await self.behave(request)
        except asyncio.CancelledError:
            self.gone.set()
            raise


async def plain(_request: web.Request) -> web.StreamResponse:
    return web.json_response(ANSWER)


def status(code: int, **headers: str) -> Behaviour:
    return failing(code, "planted", **headers)


def failing(code: int, message: str, **headers: str) -> Behaviour:
    async def behave(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"message": message}}, status=code, headers=headers)

    return behave


def raw(content: bytes, content_type: str = "application/json") -> Behaviour:
    async def behave(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type=content_type)

    return behave


async def hang(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    raise AssertionError


def one_after_another(*behaviours: Behaviour) -> Behaviour:
    """The last one stays."""
    left = list(behaviours)

    async def behave(request: web.Request) -> web.StreamResponse:
        return await (left.pop(0) if len(left) > 1 else left[0])(request)

    return behave


def endless(chunk: bytes, content_type: str, times: int) -> Behaviour:
    """A long answer in pieces, which nobody has to hold in memory at once."""

    async def behave(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": content_type})
        await response.prepare(request)
        for _ in range(times):
            await response.write(chunk)
        return response

    return behave


def stays_open(events: list[bytes]) -> Behaviour:
    """A stream whose server does not hang up after its last event."""

    async def behave(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in events:
            await response.write(event)
        await asyncio.sleep(30)
        return response

    return behave


def stream(events: list[bytes], *, break_off: bool = False, pause_s: float = 0) -> Behaviour:
    async def behave(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in events:
            await response.write(event)
            await asyncio.sleep(pause_s)
        if break_off and request.transport:
            request.transport.abort()
        return response

    return behave
