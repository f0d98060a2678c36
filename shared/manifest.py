"""What an experiment was made of: written before its first run, checked before every resume."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from shared.plan import Plan
from shared.records import SCHEMA_VERSION, Strict


class FrameworkEntry(Strict):
    """One framework as it was measured."""

    title: str
    lock_sha256: str
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
    """What must be the same for runs to be pooled: plan, models, locks, task, code. See `differs_from`."""
    frameworks: dict[str, FrameworkEntry]
    server: dict[str, Any]
    """The model server's name, version, flags and the model's digest."""
    hardware: dict[str, Any]
    notes: list[str] = Field(default_factory=list)
    """Caveats that the report repeats."""

    def differs_from(self, other: Manifest) -> list[str]:
        """What tells the two experiments apart, by name; empty: their runs may be pooled."""
        keys = sorted({*self.identity, *other.identity})
        found = [key for key in keys if self.identity.get(key) != other.identity.get(key)]
        shared = sorted({*self.frameworks} & {*other.frameworks})
        locks = [
            f"environment of {name}"
            for name in shared
            if self.frameworks[name].lock_sha256 != other.frameworks[name].lock_sha256
        ]
        return found + locks
