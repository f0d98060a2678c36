"""An answer of the gateway's own, in the form that OpenAI's clients understand."""

from __future__ import annotations

from aiohttp import web

from cluster.gateway.parsing import dump_json


def refusal(status: int, code: str, message: str | None) -> web.Response:
    error = {"message": message, "type": "levelfield_gateway", "code": code, "param": None}
    return web.Response(status=status, body=dump_json({"error": error}), content_type="application/json")
