"""What packages' metadata say of the frameworks: gathered by `runtime_envs.maturity` for the report.

Kept as `maturity.json` in an experiment's folder: derived, and no part of what makes an experiment.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.strict import Strict

MATURITY_FILE = "maturity.json"
IndexState = Literal["asked", "not_asked", "not_reachable"]


class Releases(Strict):
    """What the package index says of one distribution. Dates are UTC, ISO 8601."""

    released_at: str | None
    """When the installed version was first uploaded; null when the index keeps no such times."""
    newest: str | None
    """The highest version that is neither a pre-release nor yanked."""
    newest_released_at: str | None
    in_12_months: int | None
    """Final versions first uploaded in the year before the facts were gathered; null without times."""
    pre_releases_in_12_months: int | None


class DistributionFacts(Strict):
    """One of the distributions that a framework is asked for by."""

    name: str
    version: str
    pre_release: bool
    """By its version (PEP 440): alpha, beta, release candidate or development."""
    below_one: bool
    """Version 0.x, which semantic versioning keeps for initial development."""
    status: str | None
    """Its classifier "Development Status", without the number; null when it states none."""
    licence: str | None
    """As its metadata state it; null when they state none."""
    extras: int
    """Optional sets of dependencies that it offers."""
    releases: Releases | None = None
    """Null when the index was not asked, or does not know it."""


class Conflict(Strict):
    """Requirements that no version of a package can meet together."""

    framework: str
    package: str
    ours: str
    theirs: str


class FrameworkFacts(Strict):
    """One framework with all that it brings."""

    distributions: list[DistributionFacts]
    """The first is the framework itself."""
    dependencies: int
    """Other distributions that these bring with them, each counted once, Ray's left out unless needed."""
    installed_bytes: int
    """Of these and all that they bring: the files of their wheels, without compiled bytecode."""
    openai_version: str | None
    """The version of `openai` in its environment; null when it has none."""
    openai_requirements: dict[str, str]
    """Distribution -> what it requires of `openai`, for the framework's own distributions."""
    conflicts: list[Conflict] = Field(default_factory=list)
    """With other frameworks' own distributions: reasons why the two cannot share an environment."""


class Maturity(Strict):
    """Facts of one day."""

    schema_version: int = 1
    gathered_at: str
    """UTC, ISO 8601."""
    python: str
    platform: str
    index: IndexState
    frameworks: dict[str, FrameworkFacts]
    notes: list[str] = Field(default_factory=list)
    """What could not be gathered, and why."""
