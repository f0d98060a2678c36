"""Frameworks in a version that the plan states: their locks, which an experiment keeps, and their titles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from cluster.experiment import check_frameworks
from runtime_envs.catalog import framework
from runtime_envs.versions import moved_packages, resolve
from shared.plan import Plan
from shared.record_files import make_folder, write_whole
from shared.versions import split_version

FOLDER = "locks"
"""In an experiment's folder: a lock per framework in a stated version. Its identity has their digests."""


def version_locks(
    plan: Plan, folder: Path | None, *, again: bool = False, say: Callable[[str], None] = lambda _: None
) -> dict[str, str]:
    """The lock of each framework that the plan has in a stated version.

    An experiment that has begun keeps its own, so that a resume installs the very same; else the version is
    resolved, once for this machine's cache.

    Args:
        plan: What to compare.
        folder: The experiment's, where it is known already.
        again: Resolve anew, for a fresh measurement.
        say: Told what takes time.

    Raises:
        PlanError: A framework is unknown or has no versions, or no set of packages has the version.
        EnvironmentFailed: The package index does not answer.
    """
    check_frameworks(plan)
    locks = {}
    for name in plan.frameworks:
        if split_version(name)[1]:
            kept = folder / FOLDER / f"{name}.txt" if folder else None
            locks[name] = (
                kept.read_text(encoding="utf-8")
                if kept and kept.exists()
                else resolve(name, again=again, on_progress=say)
            )
    return locks


def keep_locks(folder: Path, locks: Mapping[str, str]) -> None:
    for name, lock in locks.items():
        make_folder(folder / FOLDER)
        write_whole(folder / FOLDER / f"{name}.txt", lock.encode())


def titles_of(found: Mapping[str, tuple[str, Mapping[str, str]]]) -> dict[str, str]:
    """Titles with the exact version, where one framework is there in several: "LangGraph 1.1.10".

    Args:
        found: Name -> title and the versions of its distributions, as its environment says.
    """
    columns = Counter(split_version(name)[0] for name in found)
    titles = {}
    for name, (title, versions) in found.items():
        known = framework(split_version(name)[0])
        exact = versions.get(known.package)
        several = columns[known.name] > 1 or name != known.name
        titles[name] = f"{known.title} {exact}" if several and exact else title
    return titles


def moved_note(title: str, name: str, lock: str) -> str | None:
    """What else differs: it is part of what the version is compared by."""
    moved = moved_packages(name, lock)
    if not moved:
        return None
    return (
        f"{title} needs other packages than the locked environment, whose versions are in brackets: "
        f"{', '.join(moved)}."
    )
