"""A model server without a model: `python -m benchmarks.mock_server`, started through `mock.Mock`.

Speaks just enough HTTP for the OpenAI chat API on kept-alive connections, on bare asyncio protocols, because
a web framework would add more to each answer than what is measured here. Every chat completion is stamped
with CLOCK_MONOTONIC, which is the same for all processes of a machine.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from benchmarks.child import Message, serve
from benchmarks.texts import text_of
from cluster.servers.scripted_main import smallest

MODEL = "mock"
END = b"0\r\n\r\n"
TASKS: set[asyncio.Task[None]] = set()
"""Held here, because the loop itself holds tasks only weakly."""


class Model:
    """What it does now, and what it did."""

    def __init__(self) -> None:
        self.stamps: list[dict[str, Any]] = []
        self.connections = 0
        self._number = 0
        self.behave({})

    def behave(self, wanted: Message) -> None:
        """Keys: see `mock.Behaviour`."""
        self.wait_s = float(wanted.get("wait_s", 0))
        self.gap_s = float(wanted.get("gap_s", 0))
        self.events = int(wanted.get("events", 64))
        self.distinct = bool(wanted.get("distinct", False))
        self.text = text_of(int(wanted.get("answer_characters", 2800)))
        self.answer = wanted.get("answer")
        at_once = wanted.get("at_once")
        self.turn: AbstractAsyncContextManager[None] = (
            asyncio.Semaphore(at_once) if at_once else nullcontext()
        )

    def answer_text(self, body: Message, content: bytes) -> str:
        """The same text every time; `distinct`: one of its own for each request."""
        if self.answer is not None:
            return str(self.answer)
        schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
        if schema:
            return json.dumps(smallest(schema))
        if not self.distinct:
            return self.text
        self._number += 1
        return f"Answer {self._number}, {hashlib.sha256(content).hexdigest()}: {self.text}"

    def account(self) -> Message:
        """What happened since it was last asked."""
        said = {"stamps": self.stamps, "connections": self.connections}
        self.stamps, self.connections = [], 0
        return said


class Connection(asyncio.Protocol):
    """One client: its requests are answered one after the other."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while request := self._whole_request():
            self._answer(*request)

    def _whole_request(self) -> tuple[list[bytes], bytes] | None:
        """Method and path, and the body; None while some of it is still to come."""
        head, found, rest = self._rest.partition(b"\r\n\r\n")
        length = _content_length(head)
        if not found or len(rest) < length:
            return None
        self._rest = rest[length:]
        return head.split(b" ", 2)[:2], rest[:length]

    def _answer(self, line: list[bytes], content: bytes) -> None:
        arrived = time.monotonic()
        match line:
            case [b"POST", path] if path.endswith(b"/chat/completions"):
                self._complete(json.loads(content), content, arrived)
            case [b"GET", b"/account"]:
                self._send(self._model.account())
            case [b"POST", b"/behaviour"]:
                self._model.behave(json.loads(content))
                self._send({})
            case [b"GET", path] if path.endswith(b"/models"):
                self._send({"object": "list", "data": [{"id": MODEL, "object": "model"}]})
            case _:
                self._send({"error": {"message": "not here"}}, b"404 Not Found")

    def _complete(self, body: Message, content: bytes, arrived: float) -> None:
        stamp = {
            "kind": "judge" if body.get("response_format") else "run",
            "streamed": body.get("stream") is True,
            "arrived": arrived,
        }
        self._model.stamps.append(stamp)
        text = self._model.answer_text(body, content)
        usage = {"prompt_tokens": len(content) // 4, "completion_tokens": len(text) // 4}
        usage["total_tokens"] = sum(usage.values())
        if stamp["streamed"]:
            options = body.get("stream_options") or {}
            events = stream_events(text, self._model.events, usage if options.get("include_usage") else None)
            self._later(self._stream(events, stamp))
        elif self._model.wait_s:
            self._later(self._whole_later(text, usage, stamp))
        else:
            self._whole(text, usage, stamp)

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        TASKS.add(task)
        task.add_done_callback(TASKS.discard)

    async def _whole_later(self, text: str, usage: Message, stamp: Message) -> None:
        async with self._model.turn:
            await asyncio.sleep(self._model.wait_s)
            self._whole(text, usage, stamp)

    def _whole(self, text: str, usage: Message, stamp: Message) -> None:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        answer = {"id": "mock", "object": "chat.completion", "created": 1, "model": MODEL}
        stamp["first"] = stamp["last"] = time.monotonic()
        self._send(answer | {"choices": [choice], "usage": usage})

    async def _stream(self, events: list[bytes], stamp: Message) -> None:
        """The last of `events` ends the stream and is no token: it follows the last token at once."""
        *tokens, ending = events
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        if self._model.wait_s:
            await asyncio.sleep(self._model.wait_s)
        began = time.monotonic()
        for number, event in enumerate(tokens):
            if number and self._model.gap_s:
                # By the clock and not by sums of sleeps, whose errors would add up over a stream.
                await asyncio.sleep(began + number * self._model.gap_s - time.monotonic())
            stamp["last"] = time.monotonic()
            stamp.setdefault("first", stamp["last"])
            self._transport.write(_chunk(event))
        self._transport.write(_chunk(ending) + END)

    def _send(self, body: Message, status: bytes = b"200 OK") -> None:
        content = json.dumps(body).encode()
        head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % (status, len(content)) + content)


def stream_events(text: str, tokens: int, usage: Message | None) -> list[bytes]:
    """`tokens` events with a piece of the text each, and one piece that ends the stream."""
    size = max(1, -(-len(text) // tokens))
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    events = [_event({"index": 0, "delta": {"role": "assistant", "content": part}}) for part in pieces]
    ending = _event({"index": 0, "delta": {}, "finish_reason": "stop"})
    if usage:
        ending += _event(None, usage)
    return [*events, ending + b"data: [DONE]\n\n"]


def _event(choice: Message | None, usage: Message | None = None) -> bytes:
    body: Message = {"id": "mock", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    body["choices"] = [choice] if choice else []
    return b"data: " + json.dumps(body | ({"usage": usage} if usage else {})).encode() + b"\n\n"


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def _start(_config: Message) -> Message:
    model = Model()

    def connection() -> Connection:
        model.connections += 1
        return Connection(model)

    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    return {"port": server.sockets[0].getsockname()[1]}


if __name__ == "__main__":
    serve(_start)
