"""Recorded answers as a source of answers: no server is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import zip_longest
from typing import Any

from cluster.gateway.convert import stream_of, whole_of
from cluster.gateway.events import CHAT, RESPONSES, ends_responses
from cluster.gateway.exchange import CLIENT_GONE, RECORDING_ENDED, Exchange
from cluster.gateway.parsing import canonical, dump_json
from cluster.gateway.recorded import RecordedAnswer
from cluster.gateway.source import EVENT_STREAM, Answer, ServerFault

DONE_EVENT = b"data: [DONE]\n\n"
GIVEN_UP = "In the recording the client gave up before an answer came."


class Replay:
    """Gives each recorded answer once."""

    def __init__(self, answers: list[RecordedAnswer], *, in_time: bool) -> None:
        self._unused = [(canonical(answer.request), answer) for answer in answers]
        self._in_time = in_time
        self._models = sorted({name for answer in answers if (name := _model_of(answer.request))})

    async def ask(self, exchange: Exchange, content: bytes) -> Answer:
        del content  # what counts of it is in the exchange
        recorded = self._take(exchange)
        clock = _Clock(exchange, in_time=self._in_time)
        if recorded.response is None:
            await clock.wait_until(recorded.last_byte_s)
            raise _fault(recorded)
        recorded = _in_wanted_form(recorded, exchange)
        content_type = EVENT_STREAM if recorded.streamed else _type_of(recorded.response)
        return Answer(
            status=200 if recorded.status == CLIENT_GONE else recorded.status,
            headers={"Content-Type": content_type},
            is_stream=recorded.streamed,
            chunks=_stream(recorded, clock) if recorded.streamed else _whole(recorded, clock),
            release=lambda _: None,
        )

    async def models(self, exchange: Exchange) -> Answer:
        cards = [{"id": name, "object": "model"} for name in self._models]
        listed = RecordedAnswer(path=exchange.path, status=200, response={"object": "list", "data": cards})
        return Answer(200, {}, False, _whole(listed, _Clock(exchange, in_time=False)), lambda _: None)

    def _take(self, exchange: Exchange) -> RecordedAnswer:
        """The answer to the very same request, else the next one; what that one was for is noted."""
        wanted = canonical(exchange.request)
        candidates = [entry for entry in self._unused if entry[1].path == exchange.path]
        if not candidates:
            raise ServerFault(
                RECORDING_ENDED,
                f"The recording has no answer left for call {exchange.sequence}: this run asks more often "
                "than the recorded one did.",
                "replay_exhausted",
            )
        chosen = next((entry for entry in candidates if entry[0] == wanted), candidates[0])
        self._unused.remove(chosen)
        if chosen[0] != wanted:
            exchange.recorded = chosen[1].request
        return chosen[1]


class _Clock:
    """Waits as long as the recorded answer took, or not at all."""

    def __init__(self, exchange: Exchange, *, in_time: bool) -> None:
        self.in_time = in_time
        self._elapsed_s = exchange.lease.elapsed_s
        self._began = self._elapsed_s()
        self._limit_s = exchange.lease.call_timeout_s()

    async def wait_until(self, at_s: float) -> None:
        if not self.in_time:
            return
        await asyncio.sleep(max(0.0, self._began + min(at_s, self._limit_s) - self._elapsed_s()))
        if at_s > self._limit_s:
            raise ServerFault(
                504, f"The recorded answer takes longer than the {self._limit_s:g} s there are."
            )


async def _whole(recorded: RecordedAnswer, clock: _Clock) -> AsyncIterator[bytes]:
    body = recorded.response
    await clock.wait_until(recorded.last_byte_s)
    yield body.encode() if isinstance(body, str) else dump_json(body)


async def _stream(recorded: RecordedAnswer, clock: _Clock) -> AsyncIterator[bytes]:
    """Events as they came; a stream that failed then breaks off again."""
    events = [_event(recorded.path, event) for event in recorded.response]
    if clock.in_time:
        at_s = recorded.first_byte_s
        for event, came_s in zip_longest(events, recorded.chunks_s[: len(events)], fillvalue=None):
            at_s = at_s if came_s is None else came_s
            await clock.wait_until(at_s)
            yield event or b""
        await clock.wait_until(recorded.last_byte_s)
    elif events:
        yield b"".join(events)
    if recorded.error is not None and not ends_responses((recorded.response or [None])[-1]):
        raise ServerFault(502, recorded.error)
    if recorded.path != RESPONSES:
        yield DONE_EVENT


def _event(path: str, event: Any) -> bytes:
    data = event.encode() if isinstance(event, str) else dump_json(event)
    kind = event.get("type") if path == RESPONSES and isinstance(event, dict) else None
    head = f"event: {kind}\n".encode() if isinstance(kind, str) else b""
    return head + b"".join(b"data: " + line + b"\n" for line in data.splitlines()) + b"\n"


def _in_wanted_form(recorded: RecordedAnswer, exchange: Exchange) -> RecordedAnswer:
    """Streamed for a client that streams, whole for one that does not; a refusal is whole for both."""
    is_refusal = not recorded.streamed and not _is_answer(recorded)
    if recorded.streamed == exchange.streamed or is_refusal:
        return recorded
    if recorded.path != CHAT:
        forms = ("streamed", "whole") if recorded.streamed else ("whole", "streamed")
        raise ServerFault(
            409, f"The recorded answer is {forms[0]} and cannot be given {forms[1]} here.", "replay_form"
        )
    if recorded.streamed:
        if recorded.error is not None:
            raise ServerFault(502, recorded.error)
        return recorded.model_copy(update={"streamed": False, "response": whole_of(recorded.response)})
    return recorded.model_copy(update={"streamed": True, "response": stream_of(recorded.response)})


def _is_answer(recorded: RecordedAnswer) -> bool:
    return (
        recorded.status < 400 and isinstance(recorded.response, dict) and not recorded.response.get("error")
    )


def _fault(recorded: RecordedAnswer) -> ServerFault:
    """What failed without an answer fails again, with a status that says so."""
    if recorded.status == CLIENT_GONE:
        return ServerFault(504, GIVEN_UP)
    return ServerFault(recorded.status if recorded.status >= 400 else 502, str(recorded.error))


def _type_of(body: Any) -> str:
    return "text/plain" if isinstance(body, str) else "application/json"


def _model_of(request: Any) -> str | None:
    name = request.get("model") if isinstance(request, dict) else None
    return name if isinstance(name, str) else None
