"""The gateway as its node sees it: a process to start, lease and stop."""

from __future__ import annotations

import json
import os
import secrets
import select
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.gateway.lease import GatewayStatus, LeaseReport, LeaseRequest
from shared.calls import Call
from shared.errors import NodeFailed

ROOT = Path(__file__).resolve().parent.parent.parent
START_TIMEOUT_S = 30.0
ADMIN_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0


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
    """Started with the address of a model server; ends with this process even if that is killed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._secret = secrets.token_urlsafe(24)
        self._origin = ""

    def start(
        self, upstream_url: str, api_key: str | None, spool: Path, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        """Raises NodeFailed, with the reason, when it does not come up."""
        self._spool = spool
        log = (spool / "gateway.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cluster.gateway"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                start_new_session=True,  # a Ctrl-C in the terminal is the driver's to handle
            )
        config = {
            "upstream_url": upstream_url,
            "api_key": api_key,
            "admin_secret": self._secret,
            "spool": str(spool),
            "host": host,
            "port": port,
        }
        answer = self._handshake(config)
        if "port" not in answer:
            self.stop()
            log_text = (spool / "gateway.log").read_text(encoding="utf-8", errors="replace")[-2000:]
            raise NodeFailed(f"The gateway did not start: {answer.get('error') or log_text or 'no answer'}")
        self._origin = f"http://{host}:{answer['port']}"

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def pids(self) -> list[int]:
        return [self._process.pid] if self._process and self.alive else []

    def open_lease(self, request: LeaseRequest) -> Lease:
        """Raises NodeFailed when the node is taken or the gateway is gone."""
        answer = json.loads(self._admin("POST", "leases", request.model_dump_json().encode()))
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
        try:
            return LeaseReport.model_validate_json(self._admin("DELETE", f"leases/{lease.token}"))
        except NodeFailed as error:
            if self.alive:
                raise
            return _written(lease, str(error))

    def status(self) -> GatewayStatus:
        return GatewayStatus.model_validate_json(self._admin("GET", "status"))

    def stop(self) -> None:
        """Leave no process behind."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()

    def _handshake(self, config: dict[str, Any]) -> dict[str, Any]:
        assert self._process and self._process.stdin and self._process.stdout  # noqa: S101, PT018 - just made
        try:
            self._process.stdin.write(json.dumps(config).encode() + b"\n")
            self._process.stdin.flush()
            ready, _, _ = select.select([self._process.stdout], [], [], START_TIMEOUT_S)
            line = self._process.stdout.readline() if ready else b""
            answer: dict[str, Any] = json.loads(line) if line.strip() else {}
        except (OSError, ValueError):
            return {}
        return answer

    def _admin(self, method: str, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self._origin}/admin/{path}",
            data=body,
            method=method,
            headers={"Authorization": f"Bearer {self._secret}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=ADMIN_TIMEOUT_S) as answer:  # noqa: S310 - likewise
                content: bytes = answer.read()
        except urllib.error.HTTPError as error:
            reason = error.read().decode("utf-8", "replace")[:500]
            raise NodeFailed(f"The gateway refused {method} {path.partition('/')[0]}: {reason}") from None
        except OSError as error:
            raise NodeFailed(f"The gateway does not answer: {error}") from None
        return content


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
