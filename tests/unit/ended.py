"""Processes that a test ends, and that are to be gone."""

from __future__ import annotations

import time
from collections.abc import Iterable

import psutil

from cluster.servers import ModelServer

GONE_TIMEOUT_S = 30


def wait_until_gone(processes: Iterable[psutil.Process]) -> None:
    """Fails when one is still running after a while; a zombie that nobody reaped has ended."""
    deadline = time.monotonic() + GONE_TIMEOUT_S
    while left := [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.05)


def kill_program_of(server: ModelServer) -> list[psutil.Process]:
    """`kill -9` of what the server's process has started: that process and all below it, which are to end."""
    supervisor = psutil.Process(server.pids()[0])
    family = supervisor.children(recursive=True)
    supervisor.children()[0].kill()
    return [supervisor, *family]
