"""One tool call: the gateway answers it itself, from the data that the lease came with."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from aiohttp import web

from cluster.gateway.asking import Asking
from cluster.gateway.exchange import CLIENT_GONE, GONE
from cluster.gateway.journal import Journal
from cluster.gateway.lease import OpenLease
from cluster.gateway.log import note, note_failure
from cluster.gateway.parsing import parse_json
from cluster.gateway.request import client_name
from cluster.gateway.source import ServerFault
from shared.calls import Call
from shared.tools.tools import Tools

NAME_CHARACTERS = 100
TOOL_END_S = 15.0
"""Longer than a tool may take; less than the gateway's own closing may (`process.ADMIN_TIMEOUT_S`)."""


async def carry_out_tool_call(
    journal: Journal,
    lease: OpenLease,
    sequence: int,
    name: str,
    request: web.Request,
    *,
    asking: Asking | None,
) -> web.StreamResponse:
    """However it ends, the call is recorded. `asking`: what the lease's tools ask the model with."""
    arrived_s = lease.elapsed_s()
    call = Call(
        sequence=sequence,
        kind="tool",
        path=f"/tools/{name[:NAME_CHARACTERS]}",
        client=client_name(request.headers),
        arrived_s=arrived_s,
        last_byte_s=arrived_s,
        status=CLIENT_GONE,
        error=GONE,
        span_id=secrets.token_hex(8) if lease.request.traceparent else None,
    )
    try:
        arguments = await _arguments(request)
    except (ConnectionError, asyncio.CancelledError):
        journal.record(lease, call)
        raise
    asked: dict[str, Any] = {}
    try:
        status, text = await _answer(lease, name, arguments, asking, asked)
    except asyncio.CancelledError:
        journal.record(lease, call.model_copy(update={"last_byte_s": lease.elapsed_s(), **asked}))
        raise
    call = call.model_copy(
        update={
            "last_byte_s": lease.elapsed_s(),
            "status": status,
            "request": arguments,
            "response": text,
            "error": None if status == 200 else text,
            **asked,
        }
    )
    recorded = journal.record(lease, call)
    response = (
        web.Response(status=status, text=text)
        if recorded
        else web.Response(status=507, text="The gateway's disk is full.")
    )
    await response.prepare(request)
    await response.write_eof()
    lease.delivered_s[sequence] = lease.elapsed_s()
    return response


async def _arguments(request: web.Request) -> Any:
    """Text for what is no JSON; None for what cannot be read or is too large."""
    try:
        content = await request.read()
        return parse_json(content)
    except ValueError:
        return content.decode("utf-8", "replace")
    except (web.HTTPRequestEntityTooLarge, web.RequestPayloadError):
        return None


async def _to_its_end(
    tools: Tools, name: str, arguments: dict[str, Any], asking: Asking | None = None
) -> str:
    """Also of a call that nobody waits for any more: a thread cannot be stopped, and no other may begin."""
    work = asyncio.create_task(asyncio.to_thread(tools.call, name, arguments))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        if asking:
            asking.give_up()
        await asyncio.wait([work], timeout=TOOL_END_S)
        raise


async def _answer(
    lease: OpenLease, name: str, arguments: Any, asking: Asking | None, asked: dict[str, Any]
) -> tuple[int, str]:
    """Status and text. Into `asked` goes what else of the `Call` came of it, however it ends."""
    tools = lease.tools
    names = sorted(spec.name for spec in tools.SPECS) if tools else []
    if tools is None or name not in names:
        known = ", ".join(names) or "none"
        return 404, f"There is no tool {name[:NAME_CHARACTERS]!r}. Tools: {known}."
    if not isinstance(arguments, dict):
        return 400, "The arguments are not a JSON object."
    try:
        async with lease.one_tool_call:  # what tools remember follows the order of the calls
            if asking is None:
                return 200, await _to_its_end(tools, name, arguments)
            asking.begin()
            try:
                return 200, await _to_its_end(tools, name, arguments, asking)
            finally:
                asked |= asking.record()
    except ServerFault as fault:
        note("asking_failed", lease.request, tool=name, why=str(fault))
        return 502, f"The model was to play a part in this tool: {fault}"
    except Exception as error:  # noqa: BLE001 - a fault of ours, which the run's record must show
        note_failure("tool_failed", lease.request, tool=name)
        return 500, f"The tool failed: {type(error).__name__}."
