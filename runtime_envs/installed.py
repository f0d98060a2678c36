"""What is installed in a built environment, read from its metadata without running its interpreter."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name


@dataclass(frozen=True)
class Installed:
    """A framework in its environment. All names are normalised (PEP 503)."""

    own: dict[str, Distribution]
    """What it is asked for by, in that order."""
    closure: dict[str, Distribution]
    """These, and all that they need."""
    own_needs: dict[str, dict[str, SpecifierSet]]
    """Own distribution -> package -> what it requires of it."""

    def version_of(self, package: str) -> str | None:
        found = self.closure.get(package)
        return found.version if found else None

    @property
    def size_bytes(self) -> int:
        """By the sizes that the wheels state of their files (RECORD: path, digest, size)."""
        lines = (
            line
            for found in self.closure.values()
            for line in csv.reader((found.read_text("RECORD") or "").splitlines())
        )
        return sum(int(line[2]) for line in lines if len(line) > 2 and line[2].isdigit())


def read_installed(environment: Path, own: Iterable[Requirement]) -> Installed:
    """`environment`: folder of a built environment; `own`: what the framework is asked for by."""
    wanted = list(own)
    there = {
        canonicalize_name(folder.name.split("-")[0]): Distribution.at(folder)
        for folder in environment.glob("lib/python*/site-packages/*.dist-info")
    }
    closure: dict[str, Distribution] = {}
    needs: dict[str, dict[str, SpecifierSet]] = defaultdict(dict)
    names = [canonicalize_name(each.name) for each in wanted]
    left = list(wanted)
    seen: set[tuple[str, frozenset[str]]] = set()
    while left:
        asked = left.pop()
        name, extras = canonicalize_name(asked.name), frozenset(asked.extras)
        if name not in there or (name, extras) in seen:
            continue
        seen.add((name, extras))
        closure[name] = there[name]
        for need in _needs(there[name], extras):
            left.append(need)
            if name in names:
                package = canonicalize_name(need.name)
                needs[name][package] = needs[name].get(package, SpecifierSet()) & need.specifier
    return Installed(
        own={name: there[name] for name in names if name in there},
        closure=closure,
        own_needs=dict(needs),
    )


def _needs(found: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    """Requirements that hold on this Python and platform, which the environments are built for too."""
    for line in found.requires or ():
        try:
            need = Requirement(line)
        except InvalidRequirement:
            continue
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield need
