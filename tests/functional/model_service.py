"""A model service of the test's own, for `openai:m`: answers the judge well, and agents as the test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from cluster.servers.scripted_main import smallest
from tests.unit.upstream import ANSWER, Behaviour, FakeServer, plain

MODEL = "openai:m"


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
            return web.json_response(_saying(json.dumps(smallest(schema))))
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


def _saying(text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return ANSWER | {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
