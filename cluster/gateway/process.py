"""The gateway as its node sees it: a process to start, lease and stop."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from cluster.gateway.admin import REFUSAL
from cluster.gateway.lease import GatewayStatus, LeaseReport, LeaseRequest
from shared.calls import Call
from shared.errors import NodeFailed
from shared.own_process import OwnProcess

ROOT = Path(__file__).resolve().parent.parent.parent
START_TIMEOUT_S = 30.0
ADMIN_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Lease:
    """One run's place at the gateway. The URLs are secrets: they never go to a log."""

    token: str
    base_url: str
    """OpenAI-compatible, ends in /v1."""
    tools_url: str
    opened_at_s: float
    """On the machine's monotonic clock."""
    journal: Path
    """The file of its calls."""


class GatewayProcess:
    """Started with the address of a model server; ends with this process even if that is killed.

    Only this process administers it, through the pipe between the two.
    """

    def __init__(self) -> None:
        self._process: OwnProcess | None = None
        self._origin = ""

    def start(
        self, upstream_url: str, api_key: str | None, spool: Path, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        """Raises NodeFailed, with the reason, when it does not come up."""
        self._spool = spool
        command = [sys.executable, "-m", "cluster.gateway"]
        paths = {"PYTHONPATH": str(ROOT)}
        self._process = OwnProcess(command, spool / "gateway.log", paths, called="The gateway")
        config = {
            "upstream_url": upstream_url,
            "api_key": api_key,
            "spool": str(spool),
            "host": host,
            "port": port,
        }
        answer = self._process.start(config, START_TIMEOUT_S)
        if "port" not in answer:
            self.stop()
            raise NodeFailed(f"The gateway did not start: {answer.get('error')}")
        self._origin = f"http://{host}:{answer['port']}"

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.alive

    def pids(self) -> list[int]:
        return self._process.pids() if self._process else []

    def open_lease(self, request: LeaseRequest) -> Lease:
        """Raises NodeFailed when the node is taken or the gateway is gone."""
        wanted = request.model_dump_json().encode()
        answer = json.loads(self._ask(b'{"do": "open", "lease": %b}' % wanted))
        token = answer["token"]
        return Lease(
            token,
            f"{self._origin}/runs/{token}/v1",
            f"{self._origin}/runs/{token}/tools",
            answer["opened_at_s"],
            self._spool / answer["journal"],
        )

    def close_lease(self, lease: Lease) -> LeaseReport:
        """Of a gateway that died, what it had written. Raises NodeFailed when it is there and refuses."""
        token = lease.token.encode()
        try:
            return LeaseReport.model_validate_json(self._ask(b'{"do": "close", "token": "%b"}' % token))
        except NodeFailed as error:
            if self.alive:
                raise
            return _written(lease, str(error))

    def status(self) -> GatewayStatus:
        return GatewayStatus.model_validate_json(self._ask(b'{"do": "status"}'))

    def stop(self) -> None:
        """Leave no process behind."""
        if self._process:
            self._process.stop()

    def _ask(self, message: bytes) -> bytes:
        """Raises NodeFailed when it refuses or does not answer."""
        if self._process is None:
            raise NodeFailed("The gateway is not started.")
        line = self._process.ask(message, ADMIN_TIMEOUT_S)
        if line.startswith(REFUSAL):
            raise NodeFailed(f"The gateway refused: {json.loads(line)['error']}")
        return line


def _written(lease: Lease, error: str) -> LeaseReport:
    """The calls that a gateway had written before it died; a line that it did not finish is left out."""
    lines = lease.journal.read_text(encoding="utf-8").split("\n")[:-1] if lease.journal.exists() else []
    return LeaseReport(
        calls=sorted((Call.model_validate_json(line) for line in lines), key=lambda call: call.sequence),
        budget_exceeded=[],
        stray_calls=0,
        contaminated=False,
        journal_error=f"The gateway died during the run. {error}",
        opened_at_s=lease.opened_at_s,
    )
