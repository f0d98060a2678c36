"""What a run's tools ask the model for, where it plays people: outside every budget and figure of the run.

Tools ask in their thread; the request is made on the gateway's loop, as the framework's own are, and what is
kept here is touched on the loop alone.
"""

from __future__ import annotations

import asyncio
from typing import Any

from cluster.gateway.events import CHAT
from cluster.gateway.exchange import RECORDING_ENDED, Exchange
from cluster.gateway.lease import OpenLease, Player
from cluster.gateway.live import LiveServer
from cluster.gateway.parsing import dump_json, objects
from cluster.gateway.passing import read_whole
from cluster.gateway.scrub import Scrubber
from cluster.gateway.source import ServerFault
from shared.calls import Asked

MAX_TOKENS = 600
"""A customer's message has less than a hundred; a model that thinks first needs the rest."""
MAX_CHARACTERS = 1000
"""Of an answer, for a server that keeps to no limit of tokens."""


class Asking:
    """One lease's, and an `Ask` for its tools. One call of a tool at a time."""

    def __init__(self, lease: OpenLease, player: Player, server: LiveServer, scrubber: Scrubber) -> None:
        """On the gateway's loop."""
        self._lease = lease
        self._player = player
        self._server = server
        self._scrubber = scrubber
        self._recorded = list(player.recorded or ())
        self._loop = asyncio.get_running_loop()
        self.begin()

    def __call__(self, messages: list[dict[str, str]]) -> str:
        """Raises ServerFault, and CancelledError once it is given up."""
        return asyncio.run_coroutine_threadsafe(self._ask(messages), self._loop).result()

    def begin(self) -> None:
        """A tool call begins."""
        self._asked: list[Asked] = []
        self._held: dict[str, Any] = {}
        self._task: asyncio.Task[Any] | None = None
        self._given_up = False

    def give_up(self) -> None:
        """Nobody waits for the tool call any more: let its thread come to its end."""
        self._given_up = True
        if self._task:
            self._task.cancel()

    def record(self) -> dict[str, Any]:
        """What the tool call's record says of it, by the names of `Call`."""
        return {"asked": self._asked, **self._held}

    async def _ask(self, messages: list[dict[str, str]]) -> str:
        self._task = asyncio.current_task()
        if self._given_up:
            raise asyncio.CancelledError
        live = self._player.recorded is None
        asked = await (self._ask_server(messages) if live else self._say_again())
        self._asked.append(asked)
        return asked.said

    async def _say_again(self) -> Asked:
        if not self._recorded:
            raise ServerFault(RECORDING_ENDED, "the recording has no answer left.", "replay_exhausted")
        asked = self._recorded.pop(0)
        if self._lease.request.has_model_times:
            await asyncio.sleep(min(asked.seconds, self._lease.call_timeout_s()))
        return asked

    async def _ask_server(self, messages: list[dict[str, str]]) -> Asked:
        """In no journal and no budget; what is awaited is the same as for a call of the framework's."""
        exchange = Exchange(self._lease, 0, CHAT, self._lease.elapsed_s())
        exchange.forwarded_s = exchange.arrived_s
        body = {
            "model": self._player.model,
            "messages": messages,
            "temperature": 0,
            "seed": self._player.seed,
            "max_tokens": MAX_TOKENS,
        }
        try:
            await self._answered(exchange, body)
        finally:
            if exchange.rate_limited:
                self._note_held(exchange)
        call = exchange.call()
        if call.failed:
            raise ServerFault(502, f"the model server answered {call.status}: {call.error}")
        said = self._scrubber.scrubbed(_text(call.response))[:MAX_CHARACTERS]
        if not said.strip() and call.finish_reason == "length":
            raise ServerFault(502, f"the model spent {MAX_TOKENS} tokens and had not said a word.")
        return Asked(
            said=said,
            prompt_tokens=call.prompt_tokens,
            completion_tokens=call.completion_tokens,
            seconds=call.last_byte_s - call.arrived_s - call.rate_limited_s,
        )

    async def _answered(self, exchange: Exchange, body: dict[str, Any]) -> None:
        answer = await self._server.ask(exchange, dump_json(body))
        is_whole = False
        try:
            exchange.status = answer.status
            await read_whole(exchange, answer)
            is_whole = True
        finally:
            answer.release(is_whole)

    def _note_held(self, exchange: Exchange) -> None:
        held = self._held
        self._held = {
            "forwarded_s": exchange.forwarded_s,
            "rate_limited": held.get("rate_limited", 0) + exchange.rate_limited,
            "rate_limited_s": held.get("rate_limited_s", 0.0) + exchange.rate_limited_s,
        }


def _text(body: Any) -> str:
    """Of a chat completion; empty where there is none."""
    choice = next(objects(body.get("choices")), {}) if isinstance(body, dict) else {}
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else None
    return text if isinstance(text, str) else ""
