"""A model service of the test's own, for `openai:m`: answers the judge well, and agents as the test says."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from cluster.servers.scripted_main import smallest
from tests.unit.upstream import ANSWER, Behaviour, FakeServer, plain

MODEL = "openai:m"
_NUMBERS = itertools.count(1)


class ModelService:
    """`behave` is asked for agents' requests alone."""

    def __init__(self) -> None:
        self.behave: Behaviour = plain
        self.server = FakeServer()
        self.server.behave = self._answer

    @property
    def variables(self) -> dict[str, str]:
        return {"LEVELFIELD_LLM_MODEL": MODEL, "LEVELFIELD_LLM_BASE_URL": self.server.url}

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        if "response_format" in body:
            schema = body["response_format"]["json_schema"]["schema"]
            return says(json.dumps(smallest(schema)))
        return await self.behave(request)


@contextmanager
def model_service() -> Iterator[ModelService]:
    service = ModelService()
    try:
        yield service
    finally:
        service.server.stop()


def after(seconds: float) -> Behaviour:
    """A good answer that takes its time."""

    async def behave(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.json_response(ANSWER)

    return behave


def says(text: str) -> web.Response:
    return _answered({"role": "assistant", "content": text}, "stop")


def calls(name: str, arguments: dict[str, Any]) -> web.Response:
    """One tool, under a new id: some frameworks insist on it."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"id": f"call-{next(_NUMBERS)}", "type": "function", "function": function}
    return _answered({"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls")


def _answered(message: dict[str, Any], reason: str) -> web.Response:
    choice = {"index": 0, "message": message, "finish_reason": reason}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return web.json_response(ANSWER | {"created": 1, "choices": [choice], "usage": usage})
