"""A real gateway for a whole module of tests, each beginning with a server that behaves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster.gateway.process import Lease
from tests.unit.running_gateway import RunningGateway, running_gateway


@pytest.fixture(scope="module")
def running() -> Iterator[RunningGateway]:
    with running_gateway() as found:
        yield found


@pytest.fixture
def gateway(running: RunningGateway) -> RunningGateway:
    running.server.reset()
    return running


@pytest.fixture
def lease(gateway: RunningGateway) -> Iterator[Lease]:
    with gateway.lease() as opened:
        yield opened
