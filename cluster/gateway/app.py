"""The gateway's routes: runs on one side, the node that administers leases on the other."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from pydantic import ValidationError

from cluster.gateway.forward import (
    CLIENT_GONE,
    PASSED_ON,
    Exchange,
    ServerFault,
    Upstream,
    hides_usage,
    open_upstream,
    pass_stream,
    read_request,
    read_whole,
)
from cluster.gateway.journal import Journal
from cluster.gateway.lease import GatewayStatus, LeaseConflict, LeaseRequest, Leases, OpenLease, Refused
from cluster.gateway.parsing import parse_json
from shared.calls import Call
from shared.tools.catalog import TOOLS

MAX_REQUEST_BYTES = 32 * 2**20
CLOSING_GRACE_S = 1.0
"""For calls in flight when a lease is closed; then they are cancelled."""

FORWARDED = {"chat/completions", "responses", "embeddings"}


@dataclass
class Gateway:
    """State behind the routes."""

    upstream_url: str
    api_key: str | None
    admin_secret: str
    spool: Path
    leases: Leases = field(default_factory=Leases)
    tasks: dict[str, set[asyncio.Task[Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.journal = Journal(self.spool)

    def application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        app.cleanup_ctx.append(self._session)
        app.add_routes(
            [
                web.get("/runs/{token}/v1/models", self.models),
                web.post("/runs/{token}/v1/{endpoint:.+}", self.model_call),
                web.post("/runs/{token}/tools/{tool}", self.tool_call),
                web.post("/admin/leases", self.open_lease),
                web.delete("/admin/leases/{token}", self.close_lease),
                web.get("/admin/status", self.status),
            ]
        )
        return app

    async def _session(self, _app: web.Application) -> AsyncIterator[None]:
        # Shorter than servers keep idle connections (5 s is common): one they close first is a false 502.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
            self.upstream = Upstream(self.upstream_url.rstrip("/"), self.api_key, session)
            yield

    # Runs

    async def models(self, request: web.Request) -> web.StreamResponse:
        """Some clients ask which models there are before they start: answered, but no model call."""
        try:
            lease = self.leases.holding(request.match_info["token"])
        except Refused as refused:
            return _error(refused.status, refused.code, str(refused))
        exchange = Exchange(lease, 0, "/v1/models", lease.elapsed_s())
        try:
            answer = await open_upstream(self.upstream, exchange, "GET", b"")
            content = await read_whole(exchange, answer)
        except ServerFault as fault:
            return _error(fault.status, "model_server", str(fault))
        return web.Response(status=answer.status, body=content, content_type="application/json")

    async def model_call(self, request: web.Request) -> web.StreamResponse:
        try:
            lease = self.leases.holding(request.match_info["token"])
            endpoint = request.match_info["endpoint"]
            if endpoint not in FORWARDED:
                return _error(404, "unknown_path", f"There is no /v1/{endpoint[:100]} here.")
            sequence = lease.begin("model")
        except Refused as refused:
            return _error(refused.status, refused.code, str(refused))
        exchange = Exchange(lease, sequence, f"/v1/{endpoint}", lease.elapsed_s())
        with _registered(self.tasks.setdefault(lease.token, set())):
            return await self._exchange(exchange, request)

    async def _exchange(self, exchange: Exchange, request: web.Request) -> web.StreamResponse:
        try:
            return await self._answer(exchange, request)
        except ServerFault as fault:
            exchange.status, exchange.error = fault.status, str(fault)
        except web.HTTPRequestEntityTooLarge:
            exchange.status, exchange.error = 413, f"The request is over {MAX_REQUEST_BYTES:,} bytes."
        except (ConnectionError, asyncio.CancelledError):
            exchange.status, exchange.error = CLIENT_GONE, "the client hung up, or its run ended"
            self._keep(exchange)
            raise
        return self._kept_or_full(exchange, _error(exchange.status, "model_server", exchange.error))

    async def _answer(self, exchange: Exchange, request: web.Request) -> web.StreamResponse:
        content = read_request(exchange, await request.read())
        answer = await open_upstream(self.upstream, exchange, "POST", content)
        if answer.content_type != "text/event-stream":
            body = await read_whole(exchange, answer)
            exchange.status = answer.status
            return self._kept_or_full(
                exchange, web.Response(status=answer.status, body=body, headers=_headers(answer))
            )
        client = web.StreamResponse(status=answer.status, headers=_headers(answer))
        await client.prepare(request)
        ending = await pass_stream(exchange, answer, client, hide_usage=hides_usage(exchange))
        exchange.status = answer.status
        if self._keep(exchange) and exchange.error is None:
            await client.write(ending)
            await client.write_eof()
        elif request.transport:
            request.transport.abort()  # the client must not take this for a whole answer
        return client

    def _kept_or_full(self, exchange: Exchange, response: web.Response) -> web.Response:
        if self._keep(exchange):
            return response
        return _error(507, "journal", "The gateway's disk is full: the call could not be recorded.")

    def _keep(self, exchange: Exchange) -> bool:
        """Put the call on disk, once, and count it. Whether the disk took it."""
        if not exchange.kept:
            exchange.kept = True
            return self._record(exchange.lease, exchange.call())
        return True

    def _record(self, lease: OpenLease, call: Call) -> bool:
        try:
            self.journal.write(lease, call)
        except OSError as error:
            lease.journal_error = f"the gateway's journal: {error.strerror}"
            lease.end(call.model_copy(update={"error": lease.journal_error, "status": 507}))
            return False
        lease.end(call)
        return True

    async def tool_call(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["tool"]
        try:
            lease = self.leases.holding(request.match_info["token"])
            sequence = lease.begin("tool")
        except Refused as refused:
            return web.Response(status=refused.status, text=str(refused))
        arrived_s = lease.elapsed_s()
        arguments = await _arguments(request)
        status, text = _run_tool(lease, name, arguments)
        call = Call(
            sequence=sequence,
            kind="tool",
            path=f"/tools/{name[:100]}",
            arrived_s=arrived_s,
            last_byte_s=lease.elapsed_s(),
            status=status,
            request=arguments,
            response=text,
            error=None if status == 200 else text,
        )
        if not self._record(lease, call):
            return web.Response(status=507, text="The gateway's disk is full.")
        return web.Response(status=status, text=text)

    # The node

    async def open_lease(self, request: web.Request) -> web.StreamResponse:
        self._check_secret(request)
        try:
            lease = self.leases.open(LeaseRequest.model_validate_json(await request.read()))
        except ValidationError as error:
            return web.json_response({"error": str(error)}, status=422)
        except LeaseConflict as conflict:
            return web.json_response({"error": str(conflict)}, status=409)
        try:
            self.journal.open(lease)
        except OSError as error:
            self.leases.close(lease.token)
            return web.json_response({"error": f"no journal: {error.strerror}"}, status=507)
        return web.json_response({"token": lease.token})

    async def close_lease(self, request: web.Request) -> web.StreamResponse:
        """Take no more calls, wait a moment for those in flight, cancel what is left, and report."""
        self._check_secret(request)
        try:
            lease = self.leases.close(request.match_info["token"])
        except KeyError:
            return web.json_response({"error": "no such lease"}, status=404)
        tasks = self.tasks.pop(lease.token, set())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSING_GRACE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self.journal.close(lease)
        return web.Response(text=lease.report().model_dump_json(), content_type="application/json")

    async def status(self, request: web.Request) -> web.StreamResponse:
        self._check_secret(request)
        lease = self.leases.current
        found = lease.status() if lease else GatewayStatus()
        return web.Response(text=found.model_dump_json(), content_type="application/json")

    def _check_secret(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.admin_secret}".encode()):
            raise web.HTTPForbidden


class _registered:  # noqa: N801 - reads as a phrase at its `with`
    """Keep the running handler in a set while it runs, so that closing the lease can cancel it."""

    def __init__(self, tasks: set[asyncio.Task[Any]]) -> None:
        self._tasks = tasks
        self._task = asyncio.current_task()

    def __enter__(self) -> None:
        if self._task:
            self._tasks.add(self._task)

    def __exit__(self, *_: object) -> None:
        if self._task:
            self._tasks.discard(self._task)


async def _arguments(request: web.Request) -> Any:
    """None for what is no JSON, or too much of it."""
    try:
        return parse_json(await request.read())
    except (ValueError, web.HTTPRequestEntityTooLarge):
        return None


def _run_tool(lease: OpenLease, name: str, arguments: Any) -> tuple[int, str]:
    if name not in TOOLS or name not in lease.request.tools:
        known = ", ".join(sorted(lease.request.tools)) or "none"
        return 404, f"There is no tool {name[:100]!r}. Tools: {known}."
    if not isinstance(arguments, dict):
        return 400, "The arguments are not a JSON object."
    return 200, TOOLS[name](lease.request.tools[name], arguments)


def _headers(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}


def _error(status: int, code: str, message: str | None) -> web.Response:
    """In the form that OpenAI's clients understand."""
    body = {"error": {"message": message, "type": "levelfield_gateway", "code": code, "param": None}}
    return web.json_response(body, status=status)
