"""`replay:FOLDER`: an experiment's recorded answers in the place of a model server."""

from __future__ import annotations

from pathlib import Path

from cluster.servers.interface import ServerIdentity, ServerOptions, TokenCounters
from shared.errors import ResultsMismatch, SettingsError
from shared.manifest import Manifest
from shared.plan import digest
from shared.settings import REPLAY
from shared.store import Store


class ReplayServer:
    """Starts nothing: the leases carry the answers, and the gateway has no server behind it."""

    api_key = None
    ours = True
    base_url = ""
    """There is no server to ask."""

    def __init__(self, folder: str, _: ServerOptions) -> None:
        self._folder = Path(folder)
        self._recorded: Manifest | None = None

    @property
    def served_model(self) -> str:
        """As recorded, so that requests are the same as they were."""
        return str(self._manifest.server.get("served_model"))

    def start(self) -> None:
        """Raises SettingsError unless there is an experiment in the folder, as this machine sees it."""
        self._recorded = recorded_manifest(self._folder)

    def identity(self) -> ServerIdentity:
        manifest = self._manifest
        server = manifest.server
        return ServerIdentity(
            setting=f"{REPLAY}:{self._folder.name}",
            served_model=self.served_model,
            digest=server.get("digest"),
            server=str(server.get("server")),
            version=server.get("version"),
            context_length=server.get("context_length"),
            # Results on two recordings are never pooled, however alike their servers were.
            flags={**(server.get("flags") or {}), "recording": _manifest_digest(manifest)},
            caveat=(
                f"Answers are replayed from {manifest.experiment}: no model ran; times of the model are "
                "recorded or none."
            ),
        )

    def healthy(self) -> bool:
        return True

    def counters(self) -> TokenCounters | None:
        """No server counted anything."""
        return None

    def pids(self) -> list[int]:
        return []

    def log_tail(self) -> str:
        return ""

    def stop(self) -> None:
        """There is nothing to stop."""

    @property
    def _manifest(self) -> Manifest:
        assert self._recorded, "start() comes first"  # noqa: S101 - a caller's bug
        return self._recorded


def recorded_manifest(folder: Path) -> Manifest:
    """Raises SettingsError when no experiment is there."""
    try:
        return Store.existing(folder).manifest()
    except ResultsMismatch as error:
        raise SettingsError(
            f"{REPLAY}:{folder}: {error} Name the folder of an experiment, as `levelfield run` printed it; "
            "on several machines it must be there on each."
        ) from None


def _manifest_digest(manifest: Manifest) -> str:
    return f"sha256:{digest(manifest.model_dump(mode='json'))}"
