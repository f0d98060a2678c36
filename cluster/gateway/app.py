"""The gateway's routes, which are for runs alone."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aiohttp
from aiohttp import web

from cluster.gateway.admin import Admin
from cluster.gateway.asking import Asking
from cluster.gateway.exchange import Exchange
from cluster.gateway.journal import Journal
from cluster.gateway.lease import Leases, OpenLease, Refused
from cluster.gateway.live import LiveServer
from cluster.gateway.log import note
from cluster.gateway.model_call import ModelCalls
from cluster.gateway.passing import read_whole
from cluster.gateway.refusal import refusal
from cluster.gateway.replay import Replay
from cluster.gateway.scrub import Scrubber
from cluster.gateway.source import ServerFault, Source
from cluster.gateway.tool_call import carry_out_tool_call

MAX_REQUEST_BYTES = 32 * 2**20
FORWARDED = {"chat/completions", "responses", "embeddings"}
SERVER_IDLE_S = 2.0
"""Shorter than servers keep idle connections (5 s is common): one they close first is a false 502."""


@dataclass
class Gateway:
    """State behind the routes. Without a model server `upstream_url` is empty, and leases must replay."""

    upstream_url: str
    api_key: str | None
    spool: Path
    scrubber: Scrubber
    leases: Leases = field(default_factory=Leases)
    tasks: dict[str, set[asyncio.Task[Any]]] = field(default_factory=dict)
    replays: dict[str, Replay] = field(default_factory=dict)
    asking: dict[str, Asking] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.journal = Journal(self.spool, self.scrubber)
        self.model_calls = ModelCalls(self.journal, self.scrubber)
        self.admin = Admin(self.leases, self.journal, self._opened, self._closed)

    def application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        app.cleanup_ctx.append(self._session)
        app.add_routes(
            [
                web.get("/runs/{token}/v1/models", self.models),
                web.post("/runs/{token}/v1/{endpoint:.+}", self.model_call),
                web.post("/runs/{token}/tools/{tool}", self.tool_call),
            ]
        )
        return app

    async def _session(self, _app: web.Application) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=SERVER_IDLE_S)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
            self.live = LiveServer(self.upstream_url, self.api_key, session)
            yield

    async def models(self, request: web.Request) -> web.StreamResponse:
        """Some clients ask which models there are before they start: answered, but no model call."""
        try:
            lease = self._holding(request)
        except Refused as refused:
            return refusal(refused.status, refused.code, str(refused))
        exchange = Exchange(lease, 0, "/v1/models", lease.elapsed_s())
        try:
            answer = await self._source(lease).models(exchange)
            content = await read_whole(exchange, answer)
            answer.release(True)
        except ServerFault as fault:
            return refusal(fault.status, fault.code, str(fault))
        body = self.scrubber.without_keys(content)
        return web.Response(status=answer.status, body=body, content_type="application/json")

    async def model_call(self, request: web.Request) -> web.StreamResponse:
        endpoint = request.match_info["endpoint"]
        try:
            lease = self._holding(request)
            if endpoint not in FORWARDED:
                return refusal(404, "unknown_path", f"There is no /v1/{endpoint[:100]} here.")
            sequence = self._begin(lease, "model")
        except Refused as refused:
            return refusal(refused.status, refused.code, str(refused))
        exchange = Exchange(lease, sequence, f"/v1/{endpoint}", lease.elapsed_s())
        exchange.span_id = secrets.token_hex(8) if lease.request.traceparent else None
        with self._under_way(lease):
            return await self.model_calls.carry_out(exchange, self._source(lease), request)

    async def tool_call(self, request: web.Request) -> web.StreamResponse:
        try:
            lease = self._holding(request)
            sequence = self._begin(lease, "tool")
        except Refused as refused:
            return web.Response(status=refused.status, text=str(refused))
        name = request.match_info["tool"]
        with self._under_way(lease):
            return await carry_out_tool_call(
                self.journal, lease, sequence, name, request, asking=self.asking.get(lease.token)
            )

    def _holding(self, request: web.Request) -> OpenLease:
        """The lease of the request's path. Raises Refused."""
        try:
            return self.leases.holding(request.match_info["token"])
        except Refused as refused:
            disturbed = self.leases.current
            note("stray_call", disturbed.request if disturbed else None, code=refused.code)
            raise

    def _begin(self, lease: OpenLease, kind: Literal["model", "tool"]) -> int:
        try:
            return lease.begin(kind)
        except Refused as refused:
            note("call_refused", lease.request, code=refused.code, why=str(refused))
            raise

    def _source(self, lease: OpenLease) -> Source:
        """Who answers its calls."""
        return self.replays.get(lease.token, self.live)

    @contextmanager
    def _under_way(self, lease: OpenLease) -> Iterator[None]:
        """Keep the running handler at hand while it runs, so that closing the lease can cancel it."""
        task = asyncio.current_task()
        assert task  # noqa: S101 - a handler runs in one
        tasks = self.tasks.setdefault(lease.token, set())
        tasks.add(task)
        try:
            yield
        finally:
            tasks.discard(task)

    def _opened(self, lease: OpenLease) -> Asking | None:
        """What its tools ask the model with."""
        wanted = lease.request
        if wanted.replay is not None:
            self.replays[lease.token] = Replay(wanted.replay, in_time=wanted.replay_timing == "recorded")
        if wanted.player is None:
            return None
        asking = self.asking[lease.token] = Asking(lease, wanted.player, self.live, self.scrubber)
        return asking

    def _closed(self, lease: OpenLease) -> set[asyncio.Task[Any]]:
        self.replays.pop(lease.token, None)
        self.asking.pop(lease.token, None)
        return self.tasks.pop(lease.token, set())
