"""A tool call that nobody waits for any more: its thread goes to its end before another call begins."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, ClassVar

import pytest

from cluster.gateway.tool_call import _to_its_end
from shared.contract import ToolSpec


class SlowTools:
    SPECS: ClassVar[tuple[ToolSpec, ...]] = ()

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.ended = False

    def call(self, name: str, arguments: dict[str, Any]) -> str:  # noqa: ARG002 - of no matter here
        self.begun.set()
        assert self.go_on.wait(30)
        self.ended = True
        return "done"

    def close(self) -> None:
        pass


@pytest.mark.timeout(60)
def test_a_cancelled_call_is_waited_for() -> None:
    """The handler ends only when the thread has: what tools remember is never changed by two calls at once."""
    tools = SlowTools()

    async def cancelled() -> None:
        task = asyncio.create_task(_to_its_end(tools, "t", {}))
        await asyncio.to_thread(tools.begun.wait, 30)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        tools.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert tools.ended

    asyncio.run(cancelled())
