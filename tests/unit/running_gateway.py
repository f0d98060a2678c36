"""A gateway as a real process in front of a fake model server, and a client of it."""

from __future__ import annotations

import contextlib
import json
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from cluster.gateway.lease import LeaseReport, LeaseRequest
from cluster.gateway.process import GatewayProcess, Lease
from shared.errors import NodeFailed
from tests.unit.upstream import FakeServer

KEY = "sk-upstream-0123456789"
CLIENT_TIMEOUT_S = 20.0


class Got(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]


def wanted(**changes: Any) -> LeaseRequest:
    return LeaseRequest(**{"run_id": "r", "kind": "run", "deadline_s": 60, "request_timeout_s": 20} | changes)


def post(url: str, body: object, *, timeout: float = CLIENT_TIMEOUT_S, **headers: str) -> Got:
    """Keyword arguments are headers, with _ for -."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"Authorization": "Bearer sk-of-the-client"} | {
        k.replace("_", "-"): v for k, v in headers.items()
    }
    request = urllib.request.Request(url, data=data, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return Got(answer.status, answer.read(), dict(answer.headers))
    except urllib.error.HTTPError as error:
        return Got(error.code, error.read(), dict(error.headers))


def chat(lease: Lease, **extra: object) -> Got:
    return post(f"{lease.base_url}/chat/completions", {"model": "m", "messages": [], **extra})


class RunningGateway:
    """With the server behind it and the folder that it writes to."""

    def __init__(self, server: FakeServer, process: GatewayProcess, spool: Path) -> None:
        self.server = server
        self.process = process
        self.spool = spool

    def open(self, **changes: Any) -> Lease:
        return self.process.open_lease(wanted(**changes))

    def close(self, lease: Lease) -> LeaseReport:
        return self.process.close_lease(lease)

    @contextmanager
    def lease(self, **changes: Any) -> Iterator[Lease]:
        """Closed at the end, unless the test did."""
        opened = self.open(**changes)
        try:
            yield opened
        finally:
            with contextlib.suppress(NodeFailed):
                self.close(opened)

    def serves_the_next_run(self) -> bool:
        """Whether a good server's answer reaches another run."""
        self.server.reset()
        with self.lease(run_id="next") as lease:
            return chat(lease).status == 200 and self.close(lease).calls[0].error is None

    def log(self) -> list[dict[str, Any]]:
        lines = (self.spool / "gateway.log").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


@contextmanager
def running_gateway(key: str | None = KEY) -> Iterator[RunningGateway]:
    server, process = FakeServer(), GatewayProcess()
    with tempfile.TemporaryDirectory() as folder:
        try:
            process.start(server.url, key, Path(folder))
            yield RunningGateway(server, process, Path(folder))
        finally:
            process.stop()
            server.stop()
