"""The node's side of the gateway: leases opened, closed and looked at. Needs the node's secret."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from cluster.gateway.journal import Journal
from cluster.gateway.lease import GatewayStatus, LeaseConflict, LeaseRequest, Leases, OpenLease
from cluster.gateway.log import note

CLOSING_GRACE_S = 1.0
"""For calls in flight when a lease is closed; then they are cancelled."""

SHOWN_OF_ERROR = 2000
"""Characters of why a request for a lease is refused."""


class Admin:
    def __init__(
        self,
        secret: str,
        leases: Leases,
        journal: Journal,
        opened: Callable[[OpenLease], None],
        closed: Callable[[OpenLease], set[asyncio.Task[Any]]],
    ) -> None:
        """`opened` and `closed` are told of each lease; `closed` gives the handlers still at work for it."""
        self._secret = secret
        self._leases = leases
        self._journal = journal
        self._opened = opened
        self._closed = closed

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/admin/leases", self.open_lease),
            web.delete("/admin/leases/{token}", self.close_lease),
            web.get("/admin/status", self.status),
        ]

    async def open_lease(self, request: web.Request) -> web.StreamResponse:
        self._check_secret(request)
        try:
            wanted = LeaseRequest.model_validate_json(await request.read())
            lease = self._leases.open(wanted)
        except ValidationError as error:
            return web.json_response({"error": str(error)[:SHOWN_OF_ERROR]}, status=422)
        except LeaseConflict as conflict:
            return web.json_response({"error": str(conflict)}, status=409)
        try:
            path = self._journal.open(lease)
        except OSError as error:
            self._leases.close(lease.token)
            return web.json_response({"error": f"no journal: {error.strerror}"}, status=507)
        self._opened(lease)
        note("lease_opened", wanted, kind=wanted.kind, replay=wanted.replay is not None)
        return web.json_response({"token": lease.token, "opened_at_s": lease.opened_at, "journal": path.name})

    async def close_lease(self, request: web.Request) -> web.StreamResponse:
        """Take no more calls, wait a moment for those in flight, cancel what is left, and report."""
        self._check_secret(request)
        try:
            lease = self._leases.close(request.match_info["token"])
        except KeyError:
            return web.json_response({"error": "no such lease"}, status=404)
        tasks = self._closed(lease)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSING_GRACE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._journal.close(lease)
        note("lease_closed", lease.request, calls=len(lease.calls), stray_calls=lease.stray_calls)
        return _json(lease.report())

    async def status(self, request: web.Request) -> web.StreamResponse:
        self._check_secret(request)
        lease = self._leases.current
        return _json(lease.status() if lease else GatewayStatus())

    def _check_secret(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), f"Bearer {self._secret}".encode()):
            raise web.HTTPForbidden


def _json(content: BaseModel) -> web.Response:
    return web.Response(text=content.model_dump_json(), content_type="application/json")
