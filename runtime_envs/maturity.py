"""Facts on each framework from its packages' own metadata: `gather_maturity(["langgraph", "crewai"])`.

What a framework is asked for by stands in its group of pyproject.toml; everything else is read from the
metadata installed in its environment, and from the package index where that is asked.
"""

from __future__ import annotations

import platform
import sysconfig
import tomllib
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import Distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from runtime_envs.build import available
from runtime_envs.catalog import ENVIRONMENTS, FRAMEWORKS, ROOT, framework
from runtime_envs.installed import Installed, read_installed
from runtime_envs.package_index import IndexUnreachable, PackageIndex
from runtime_envs.pins import conflicts_between
from shared.maturity import DistributionFacts, FrameworkFacts, IndexState, Maturity, Releases

OPENAI = "openai"
STATUS = "Development Status :: "
LICENCE = "License :: "
LONGEST_LICENCE = 80
"""Some packages put the licence's whole text into the field."""


def gather_maturity(names: Iterable[str] | None = None, *, ask_index: bool = False) -> Maturity:
    """Facts on the named frameworks (without names: all) whose environments are built on this machine.

    Names that the catalogue does not have, and frameworks without a distribution of their own (the floor),
    are left out. Where the index gives no answer, release dates stay null and `notes` say so.
    """
    folders = {state.name: state.path for state in available() if state.built}
    installed: dict[str, Installed] = {}
    notes = []
    for name in FRAMEWORKS if names is None else dict.fromkeys(names):
        if name not in FRAMEWORKS or not (own := own_requirements(name)):
            continue
        wanted = framework(name)
        if wanted.environment in folders:
            installed[name] = read_installed(folders[wanted.environment], own)
        else:
            notes.append(
                f"{wanted.title} is not installed here, so nothing is known of it: "
                f"`levelfield envs build {wanted.environment}` installs it."
            )
    return describe_installed(installed, notes, ask_index=ask_index)


def describe_installed(installed: dict[str, Installed], notes: list[str], *, ask_index: bool) -> Maturity:
    releases, index, said = _ask(installed) if ask_index else ({}, "not_asked", [])
    return Maturity(
        gathered_at=datetime.now(UTC).isoformat(timespec="seconds"),
        python=platform.python_version(),
        platform=sysconfig.get_platform(),
        index=index,
        frameworks={
            name: _framework(name, installed, releases) for name, found in installed.items() if found.own
        },
        notes=notes + said,
    )


def own_requirements(name: str) -> list[Requirement]:
    """What pyproject.toml asks for to get this framework, Ray left out; empty for no framework."""
    group = ENVIRONMENTS[framework(name).environment].group
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    return [Requirement(line) for line in groups[group] if isinstance(line, str)]


def _ask(installed: dict[str, Installed]) -> tuple[dict[str, Releases], IndexState, list[str]]:
    """Releases by distribution; as far as they came when the index stops answering."""
    found: dict[str, Releases] = {}
    now = datetime.now(UTC)
    try:
        index = PackageIndex.configured()
        for each in installed.values():
            for name, own in each.own.items():
                releases = index.releases(name, own.version, now)
                if releases is not None:
                    found[name] = releases
    except IndexUnreachable as error:
        return found, "not_reachable", [f"The package index could not be asked: {error}."]
    return found, "asked", []


def _framework(name: str, installed: dict[str, Installed], releases: dict[str, Releases]) -> FrameworkFacts:
    found = installed[name]
    return FrameworkFacts(
        distributions=[distribution_facts(own, releases.get(place)) for place, own in found.own.items()],
        dependencies=len(found.closure) - len(found.own),
        installed_bytes=found.size_bytes,
        openai_version=found.version_of(OPENAI),
        openai_requirements={
            own: str(needs[OPENAI]) or "any version"
            for own, needs in found.own_needs.items()
            if OPENAI in needs
        },
        conflicts=conflicts_between(name, installed),
    )


def distribution_facts(own: Distribution, releases: Releases | None) -> DistributionFacts:
    version = Version(own.version)
    classifiers = _field(own, "Classifier")
    status = next((line.removeprefix(STATUS) for line in classifiers if line.startswith(STATUS)), None)
    return DistributionFacts(
        name=canonicalize_name(own.name),
        version=own.version,
        pre_release=version.is_prerelease,
        below_one=version.major == 0,
        status=status.split(" - ", 1)[-1] if status else None,
        licence=licence_of(own),
        extras=len(_field(own, "Provides-Extra")),
        releases=releases,
    )


def licence_of(own: Distribution) -> str | None:
    """Its SPDX expression, else its classifiers, else the old free field when that is a name and no text."""
    for expression in _field(own, "License-Expression"):
        return expression
    classifiers = [
        line.rsplit(" :: ", 1)[-1] for line in _field(own, "Classifier") if line.startswith(LICENCE)
    ]
    if classifiers:
        return ", ".join(classifiers)
    stated = "".join(_field(own, "License")[:1]).strip()
    return stated if stated and "\n" not in stated and len(stated) <= LONGEST_LICENCE else None


def _field(own: Distribution, name: str) -> list[str]:
    return own.metadata.get_all(name) or []
