"""A bare byte pipe: `python -m benchmarks.byte_pipe` passes TCP connections on and looks at nothing.

What it adds is what any second process in the way adds; a gateway cannot be below it by much.
"""

from __future__ import annotations

import asyncio

from benchmarks.child import Message, serve


class End(asyncio.Protocol):
    """One end of a pipe; what it receives, the other end sends."""

    def __init__(self) -> None:
        self._early = b""
        self.other: End | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.other and self.other.transport:
            self.other.transport.write(data)
        else:
            self._early += data  # it came before the other end was there

    def connection_lost(self, _error: Exception | None) -> None:
        if self.other and self.other.transport:
            self.other.transport.close()

    def join(self, other: End) -> None:
        self.other, other.other = other, self
        if self._early and other.transport:
            other.transport.write(self._early)
            self._early = b""


class Accepted(End):
    """The end at a client's; opens the other one."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        _, other = await asyncio.get_running_loop().create_connection(End, "127.0.0.1", self._port)
        self.join(other)


async def _start(config: Message) -> Message:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Accepted(config["port"]), "127.0.0.1", 0)
    return {"port": server.sockets[0].getsockname()[1]}


if __name__ == "__main__":
    serve(_start)
