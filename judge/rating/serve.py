"""The rating page on loopback, until it is interrupted."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable

from aiohttp import web

from judge.rating.rating_app import RatingApp
from shared.errors import SettingsError

HOST = "127.0.0.1"
CLOSE_S = 2.0
"""For answers in flight when it is stopped."""


def open_socket(port: int) -> socket.socket:
    """On loopback alone; 0: a free port. Raises SettingsError when the port is taken."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Started again after a kill, it must not wait for the old connections to be forgotten.
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((HOST, port))
        opened.listen()
    except (OSError, OverflowError) as error:
        opened.close()
        raise SettingsError(
            f"Cannot listen on port {port} of {HOST} ({error}). Give another --port, or none for a free one."
        ) from None
    return opened


def serve(rating: RatingApp, port: int, ready: Callable[[str], None]) -> None:
    """Until SIGINT or SIGTERM. `ready` is told where, e.g. http://127.0.0.1:8123, once it answers."""
    opened = open_socket(port)
    asyncio.run(_serve(rating, opened, ready))


async def _serve(rating: RatingApp, opened: socket.socket, ready: Callable[[str], None]) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    # No access log: its lines would hold the links, which are secrets.
    runner = web.AppRunner(rating.application(), access_log=None, shutdown_timeout=CLOSE_S)
    await runner.setup()
    try:
        await web.SockSite(runner, opened).start()
        ready(f"http://{HOST}:{opened.getsockname()[1]}")
        await stopped.wait()
    finally:
        await runner.cleanup()
