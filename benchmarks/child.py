"""A process of a benchmark's own: a line of JSON in, a line out, and it ends when its standard input does.

Standard library only: peers' environments run it too.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]


def answer_lines(begin: Callable[[Message], Callable[[Message], Message]]) -> None:
    """For work on request: `begin(config)` gets ready and gives what answers each further line."""
    answer = begin(json.loads(sys.stdin.readline()))
    _say({"ready": True})
    for line in sys.stdin:
        _say(answer(json.loads(line)))


def serve(start: Callable[[Message], Awaitable[Message]]) -> None:
    """For servers: `start(config)` begins to listen and says where; closing its stdin stops the process."""

    async def run() -> None:
        _say(await start(json.loads(sys.stdin.readline())))
        threading.Thread(target=_end_with_parent, daemon=True).start()
        await asyncio.Event().wait()

    asyncio.run(run())


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def _say(message: Message) -> None:
    # What a library prints goes elsewhere: the first standard output is for these lines alone.
    os.write(_ANSWERS, json.dumps(message).encode() + b"\n")


_ANSWERS = os.dup(1)
os.dup2(2, 1)
