"""A model server and the gateway in front of it, as one thing that is started, mended and stopped."""

from __future__ import annotations

from pathlib import Path

from cluster.gateway.process import GatewayProcess
from cluster.servers import ModelServer, ServerOptions, open_server


class Serving:
    """Raises as `ModelServer.start` and `GatewayProcess.start` do."""

    def __init__(self, setting: str, options: ServerOptions, spool: Path) -> None:
        self.server: ModelServer = open_server(setting, options)
        self._spool = spool
        self.server.start()
        self.gateway = self._open_gateway()

    def ensure(self) -> None:
        """Between runs: a gateway or a server of ours that died is started again."""
        if self.server.healthy() and self.gateway.alive:
            return
        self.gateway.stop()
        self.server.stop()
        self.server.start()
        self.gateway = self._open_gateway()

    def death(self) -> str | None:
        """Why a server of ours is no longer there; None when it is, or is not ours."""
        if not self.server.ours or self.server.healthy():
            return None
        return f"The model server died during the run. The end of its log:\n{self.server.log_tail()}"

    def stop(self) -> None:
        """Leave no process behind."""
        self.gateway.stop()
        self.server.stop()

    def _open_gateway(self) -> GatewayProcess:
        gateway = GatewayProcess()
        gateway.start(self.server.base_url, self.server.api_key, self._spool)
        return gateway
