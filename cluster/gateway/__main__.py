"""`python -m cluster.gateway`: a JSON line on stdin configures it, one on stdout says its port.

Each further line is a request of the node (`admin.py`), with one line in answer. End of file on stdin means
that its parent is gone, and it ends too, whatever state the parent died in.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from pathlib import Path

from aiohttp import web

from cluster.gateway.admin import REFUSAL, Admin
from cluster.gateway.app import Gateway
from cluster.gateway.log import log_to_stderr
from cluster.gateway.scrub import Scrubber

ANSWER_TIMEOUT_S = 20.0
"""Less than the node waits."""


async def serve(config: dict[str, str]) -> None:
    scrubber = Scrubber(config["api_key"])
    log_to_stderr(scrubber)
    gateway = Gateway(
        upstream_url=config["upstream_url"],
        api_key=config["api_key"],
        spool=Path(config["spool"]),
        scrubber=scrubber,
    )
    runner = web.AppRunner(gateway.application(), handler_cancellation=True, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, config["host"], int(config["port"]))
        await site.start()
    except OSError as error:
        _say(json.dumps({"error": f"cannot listen on {config['host']}:{config['port']}: {error.strerror}"}))
        return
    _say(json.dumps({"port": runner.addresses[0][1]}))
    loop = asyncio.get_running_loop()
    threading.Thread(target=_administer, args=(gateway.admin, loop), daemon=True).start()
    await asyncio.Event().wait()


def _administer(admin: Admin, loop: asyncio.AbstractEventLoop) -> None:
    """A thread of its own: it notices the parent's end whatever the loop is doing."""
    for line in sys.stdin.buffer:
        answer = asyncio.run_coroutine_threadsafe(admin.answer(line), loop)
        try:
            _say(answer.result(ANSWER_TIMEOUT_S).decode())
        except TimeoutError:
            _say(f'{REFUSAL.decode()}: "it is too busy to answer"}}')
    os._exit(0)


def _say(line: str) -> None:
    print(line, flush=True)


asyncio.run(serve(json.loads(sys.stdin.buffer.readline())))
