"""Our gateway as a run meets it: a real process, its journal on, an address per lease."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.gateway.lease import LeaseReport, LeaseRequest
from cluster.gateway.process import GatewayProcess

DEADLINE_S = 3600


@contextmanager
def running_gateway(upstream_url: str, spool: Path) -> Iterator[GatewayProcess]:
    gateway = GatewayProcess()
    spool.mkdir(parents=True, exist_ok=True)
    gateway.start(upstream_url, None, spool)
    try:
        yield gateway
    finally:
        gateway.stop()


@contextmanager
def leased(gateway: GatewayProcess, reports: list[LeaseReport] | None = None) -> Iterator[str]:
    """A lease's base URL; when it is closed, its report is added to `reports`."""
    lease = gateway.open_lease(LeaseRequest(run_id="benchmark", kind="run", deadline_s=DEADLINE_S))
    try:
        yield lease.base_url
    finally:
        report = gateway.close_lease(lease)
        if reports is not None:
            reports.append(report)
