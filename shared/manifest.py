"""What an experiment was made of: written before its first run, checked before every resume."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from shared.plan import Plan
from shared.records import SCHEMA_VERSION
from shared.strict import Strict


class FrameworkEntry(Strict):
    """One framework as it was measured."""

    title: str
    versions: dict[str, str]
    """Distribution -> version, read in its own environment."""


class Manifest(Strict):
    """Everything that could change a result."""

    schema_version: int = SCHEMA_VERSION
    experiment: str
    created_at: str
    """UTC, ISO 8601."""
    levelfield: str
    """Our version."""
    plan: Plan
    settings: dict[str, Any]
    """Without keys."""
    identity: dict[str, Any]
    """What must be the same for runs to be pooled: plan, models, locks, task, code."""
    frameworks: dict[str, FrameworkEntry]
    server: dict[str, Any]
    """The model server's name, version, flags and the model's digest: must be the same too."""
    hardware: dict[str, Any]
    notes: list[str] = Field(default_factory=list)
    """Caveats that the report repeats."""

    def differs_from(self, other: Manifest) -> list[str]:
        """What tells the two experiments apart, by name; empty: their runs may be pooled."""
        return _differing(self._compared, other._compared)

    def differs_in_identity(self, identity: dict[str, Any]) -> list[str]:
        """The same before any server runs: of plan, settings, task, environments and code alone."""
        return _differing(self.identity, identity)

    def differs_in_server(self, other: Manifest) -> list[str]:
        return _differing(self._server, other._server)

    def extended_by(self, other: Manifest) -> Manifest:
        """The same experiment with the runs of a plan that adds to it."""
        note = f"Extended on {other.created_at[:10]}: what was added was measured later than the rest."
        return self.model_copy(
            update={
                "plan": other.plan,
                "identity": other.identity,
                "frameworks": self.frameworks | other.frameworks,
                "notes": list(dict.fromkeys([*self.notes, *other.notes, note])),
            }
        )

    @property
    def _compared(self) -> dict[str, Any]:
        return self.identity | self._server

    @property
    def _server(self) -> dict[str, Any]:
        return {f"server: {key}": value for key, value in self.server.items()}


def _differing(mine: dict[str, Any], its: dict[str, Any]) -> list[str]:
    return [key for key in sorted({*mine, *its}) if mine.get(key) != its.get(key)]
