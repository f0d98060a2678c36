"""`scripted:instant`: a server without a model, for dry runs."""

from __future__ import annotations

import sys
from pathlib import Path

from cluster.servers.interface import ServerIdentity, ServerOptions, TokenCounters
from cluster.servers.metrics import llamacpp_counters
from cluster.servers.probe import answers
from shared.own_process import OwnProcess

SCRIPT = Path(__file__).with_name("scripted_main.py")


class ScriptedServer:
    api_key = None
    ours = True
    served_model = "scripted"

    def __init__(self, options: ServerOptions) -> None:
        self._options = options
        self._process = OwnProcess([sys.executable, str(SCRIPT)], options.log_dir / "scripted.log")
        self._url = ""
        self._version: str | None = None

    @property
    def base_url(self) -> str:
        return f"{self._url}/v1"

    def start(self) -> None:
        ready = self._process.start({}, self._options.timeout_s)
        self._url, self._version = ready["url"], ready["version"]

    def identity(self) -> ServerIdentity:
        return ServerIdentity(
            setting="scripted:instant",
            served_model=self.served_model,
            digest=None,
            server="scripted",
            version=self._version,
            context_length=None,
            flags={},
            caveat="No model answered: the texts and the scores are scripted, and only the times are real.",
        )

    def healthy(self) -> bool:
        return self._process.alive and answers(f"{self.base_url}/models")

    def counters(self) -> TokenCounters | None:
        return llamacpp_counters(self._url) if self._process.alive else None

    def pids(self) -> list[int]:
        return self._process.pids()

    def log_tail(self) -> str:
        return self._process.log_tail()

    def stop(self) -> None:
        self._process.stop()
