"""The node's side of the gateway: leases opened, closed and looked at, a line of JSON for each.

It comes through the pipe from the process that started the gateway, so nobody else can ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from cluster.gateway.journal import Journal
from cluster.gateway.lease import GatewayStatus, LeaseConflict, LeaseRequest, Leases, OpenLease
from cluster.gateway.log import note
from cluster.gateway.parsing import dump_json
from shared.strict import Strict
from shared.tools.tools import Ask

CLOSING_GRACE_S = 1.0
"""For calls in flight when a lease is closed; then they are cancelled."""

SHOWN_OF_ERROR = 2000
"""Characters of why a request for a lease is refused."""

REFUSAL = b'{"error"'
"""How an answer begins that is none."""


class Wanted(Strict):
    """One line from the node."""

    do: Literal["open", "close", "status"]
    lease: LeaseRequest | None = None
    token: str = ""


class Admin:
    def __init__(
        self,
        leases: Leases,
        journal: Journal,
        opened: Callable[[OpenLease], Ask | None],
        closed: Callable[[OpenLease], set[asyncio.Task[Any]]],
    ) -> None:
        """`opened` and `closed` are told of each lease.

        `opened` gives what its tools ask the model with, and `closed` the handlers still at work for it.
        """
        self._leases = leases
        self._journal = journal
        self._opened = opened
        self._closed = closed

    async def answer(self, line: bytes) -> bytes:
        """What was asked for as JSON on one line, or an error; never raises for what the line holds."""
        try:
            wanted = Wanted.model_validate_json(line)
        except ValidationError as error:
            return _refused(str(error)[:SHOWN_OF_ERROR])
        if wanted.do == "close":
            return await self._close(wanted.token)
        if wanted.do == "open":
            return self._open(wanted.lease) if wanted.lease else _refused("no lease is described")
        lease = self._leases.current
        return _json(lease.status() if lease else GatewayStatus())

    def _open(self, wanted: LeaseRequest) -> bytes:
        try:
            lease = self._leases.open(wanted)
        except LeaseConflict as conflict:
            return _refused(str(conflict))
        try:
            path = self._journal.open(lease)
        except OSError as error:
            self._leases.close(lease.token)
            return _refused(f"no journal: {error.strerror}")
        ask = self._opened(lease)
        try:
            lease.tools = wanted.toolbox.open(ask) if wanted.toolbox else None
        except Exception as error:  # noqa: BLE001 - whatever a task's code may raise, the run is not begun
            self._leases.close(lease.token)
            self._closed(lease)
            self._journal.close(lease)
            return _refused(
                f"the task's tools cannot be opened: {type(error).__name__}: {error}"[:SHOWN_OF_ERROR]
            )
        note("lease_opened", wanted, kind=wanted.kind, replay=wanted.replay is not None)
        return dump_json({"token": lease.token, "opened_at_s": lease.opened_at, "journal": path.name})

    async def _close(self, token: str) -> bytes:
        """Take no more calls, wait a moment for those in flight, cancel what is left, and report."""
        try:
            lease = self._leases.close(token)
        except KeyError:
            return _refused("no such lease")
        tasks = self._closed(lease)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSING_GRACE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if lease.tools:
            lease.tools.close()
        self._journal.close(lease)
        note("lease_closed", lease.request, calls=len(lease.calls), stray_calls=lease.stray_calls)
        return _json(lease.report())


def _json(content: BaseModel) -> bytes:
    return content.model_dump_json().encode()


def _refused(why: str) -> bytes:
    return REFUSAL + b": " + dump_json(why) + b"}"
