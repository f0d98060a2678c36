"""`maturity.json` of an experiment's folder, held against what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from analysis.guide.result import MaturityFacts
from shared.maturity import MATURITY_FILE, DistributionFacts, FrameworkFacts, Maturity

EARLY = ("Planning", "Pre-Alpha", "Alpha", "Beta", "Inactive")
"""Of the classifiers "Development Status"; the others are Production/Stable and Mature."""


def read_maturity(folder: Path | None, versions: Mapping[str, Mapping[str, str]]) -> MaturityFacts:
    """Never raises: facts that cannot be used cost a note.

    Args:
        folder: An experiment's folder; None or one without the file: nothing was gathered.
        versions: Framework -> distribution -> version, as it was measured.
    """
    path = folder / MATURITY_FILE if folder else None
    if path is None or not path.is_file():
        return MaturityFacts()
    try:
        facts = Maturity.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        why = "cannot be read" if isinstance(error, OSError) else "does not hold what it should"
        return MaturityFacts(notes=[f"{MATURITY_FILE} {why}: `levelfield maturity` writes it again."])
    kept: dict[str, FrameworkFacts] = {}
    notes = list(facts.notes)
    for name, found in facts.frameworks.items():
        other = _other_version(found, versions.get(name, {}))
        if other:
            notes.append(f"The facts on {name} are left out: they are of {other}.")
        elif name in versions:
            kept[name] = found
    return MaturityFacts(gathered_at=facts.gathered_at, index=facts.index, frameworks=kept, notes=notes)


def _other_version(found: FrameworkFacts, measured: Mapping[str, str]) -> str | None:
    for each in found.distributions:
        version = measured.get(each.name)
        if version is not None and version != each.version:
            return f"{each.name} {each.version}, and {version} was measured"
    return None


def why_not_final(found: FrameworkFacts) -> str | None:
    """None for a framework that is final: from 1.0 on, no pre-release, not declared anything less."""
    return next(filter(None, map(_early, found.distributions)), None)


def _early(found: DistributionFacts) -> str | None:
    called = f"{found.name} {found.version}"
    if found.pre_release:
        return f"{called} is a pre-release"
    if found.below_one:
        return f"{called} is below 1.0"
    return f"{called} is declared {found.status}" if found.status in EARLY else None
