"""Whether two frameworks can share an environment, as far as their own requirements tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from runtime_envs.installed import Installed
from shared.maturity import Conflict


def conflicts_between(name: str, installed: Mapping[str, Installed]) -> list[Conflict]:
    """Of `name` with each other framework: packages of which no version meets both.

    Only what the frameworks' own distributions require is held against each other, at the versions that are
    installed. So each conflict found is one; none found is no proof that an installer would succeed.
    """
    mine = installed[name]
    found = []
    for other, its in installed.items():
        if other == name:
            continue
        asked_by_it = _asked(its)
        for package, ours in sorted(_asked(mine).items()):
            theirs = asked_by_it.get(package)
            known = [version for both in (mine, its) if (version := both.version_of(package))]
            if theirs is not None and not can_meet(ours, theirs, known):
                found.append(Conflict(framework=other, package=package, ours=str(ours), theirs=str(theirs)))
    return found


def can_meet(a: SpecifierSet, b: SpecifierSet, known: list[str]) -> bool:
    """Whether some version satisfies both.

    An intersection of ranges that is not empty holds its largest lower bound, or what lies just above that,
    so only the bounds themselves, the versions just above them and versions known to exist need be tried.
    """
    both = a & b
    return any(both.contains(version, prereleases=True) for version in _candidates(both, known))


def _candidates(specifiers: SpecifierSet, known: list[str]) -> Iterator[Version]:
    yield Version("0")
    for text in [*(each.version.removesuffix(".*") for each in specifiers), *known]:
        try:
            version = Version(text)
        except InvalidVersion:
            continue
        yield version
        yield Version(f"{version.epoch}!" + ".".join(map(str, (*version.release, 0, 0, 1))))


def _asked(installed: Installed) -> dict[str, SpecifierSet]:
    """Of each package, what all own distributions require of it together."""
    asked: dict[str, SpecifierSet] = {}
    for needs in installed.own_needs.values():
        for package, specifier in needs.items():
            asked[package] = asked.get(package, SpecifierSet()) & specifier
    return asked
