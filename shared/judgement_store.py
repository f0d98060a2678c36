"""Judgements in an experiment's folder, beside the verdicts.

comparisons/<judge>/<digest of the pair>.<rubric>.K.json  a Comparison (repeat K)
audits/<judge>/<attempt_id>.<rubric>.<defect>.K.json    an AuditVerdict (repeat K)
ratings/<rater>/<attempt_id>.K.json                     a Rating (showing K); a rater may change his mind
preferences/<rater>/<digest of the pair>.K.json         a Preference (showing K)
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from shared.judgements import AuditVerdict, Comparison, Preference, Rating
from shared.plan import digest
from shared.record_files import make_folder, read_record, write_record
from shared.store import slug
from shared.strict import Strict

RecordType = TypeVar("RecordType", bound=Strict)


class Judgements:
    """Reading needs no lock; a writer holds the store's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write_comparison(self, found: Comparison) -> None:
        pair = _pair(found.first_attempt_id, found.second_attempt_id)
        self._write("comparisons", found.judge, f"{pair}.{slug(found.rubric)}.{found.repeat}", found)

    def comparisons(self) -> list[Comparison]:
        return self._read("comparisons", Comparison)

    def write_audit(self, found: AuditVerdict) -> None:
        name = f"{found.attempt_id}.{slug(found.rubric)}.{found.defect or 'none'}.{found.repeat}"
        self._write("audits", found.judge, name, found)

    def audits(self) -> list[AuditVerdict]:
        return self._read("audits", AuditVerdict)

    def write_rating(self, rating: Rating) -> None:
        name = f"{rating.attempt_id}.{rating.showing}"
        self._write("ratings", _person(rating.rater), name, rating, replace=True)

    def ratings(self) -> list[Rating]:
        return self._read("ratings", Rating)

    def write_preference(self, preference: Preference) -> None:
        pair = _pair(preference.first_attempt_id, preference.second_attempt_id)
        name = f"{pair}.{preference.showing}"
        self._write("preferences", _person(preference.rater), name, preference, replace=True)

    def preferences(self) -> list[Preference]:
        return self._read("preferences", Preference)

    def _write(self, kind: str, who: str, name: str, record: Strict, *, replace: bool = False) -> None:
        folder = self._folder / kind / slug(who)
        make_folder(folder)
        write_record(folder / f"{name}.json", record, replace=replace)

    def _read(self, kind: str, record_type: type[RecordType]) -> list[RecordType]:
        return [read_record(path, record_type) for path in sorted(self._folder.glob(f"{kind}/*/*.json"))]


def _person(name: str) -> str:
    """A folder of his own: of names in another script, `slug` leaves little or nothing."""
    return name if slug(name) == name else f"{slug(name)}-{digest(name)[:8]}"


def _pair(first: str, second: str) -> str:
    """In their order: the other way round is another pair."""
    return digest([first, second])[:24]
