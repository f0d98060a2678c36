"""What an experiment's records hold beyond its table of runs: attempts, probes, quarantines, calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from shared.errors import LevelfieldError
from shared.judgement_store import Judgements
from shared.judgements import AuditVerdict
from shared.records import CheckResult, RunKey, RunRecord, Status, Verdict
from shared.score_figures import FigureMeanings
from shared.store import Store
from shared.surroundings import Probe, Quarantine


@dataclass(frozen=True)
class Quarantined:
    """An attempt in quarantine."""

    key: RunKey
    quarantine: Quarantine
    kept: bool
    """Whether it is still the attempt that stands for its run."""


@dataclass(frozen=True)
class Stored:
    """Empty for a plain CSV, and for a folder whose records are gone."""

    store: Store | None = None
    runs: tuple[RunRecord, ...] = ()
    """The attempt that counts for each run."""
    warmups: int | None = None
    contaminated: tuple[RunKey, ...] = ()
    """Attempts, those that were repeated included."""
    quarantined: tuple[Quarantined, ...] = ()
    probes: tuple[Probe, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    """Checks without a model."""
    figure_meanings: Mapping[str, FigureMeanings] = field(default_factory=dict)
    """Task -> what its own score counts."""
    audits: tuple[AuditVerdict, ...] = ()
    problem: str | None = None
    """Why nothing could be read, for the reader of the report."""

    @property
    def known(self) -> bool:
        return self.store is not None

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Read when first asked for. Raises CorruptRecord, ResultsMismatch."""
        return tuple(self.store.verdicts()) if self.store else ()


def read_store(folder: Path, task: str | None = None) -> Stored:
    """Of one task's runs, or of all.

    Never raises: a record that cannot be read costs what only records tell, not the report.
    """
    try:
        return _read(Store.existing(folder, task))
    except LevelfieldError as error:
        problem = (
            f"The records could not be read, so probes, quarantine and single calls are not known ({error})"
        )
        return Stored(problem=problem)


def _read(store: Store) -> Stored:
    quarantines = store.quarantines()
    attempts = list(store.attempts())
    runs = tuple(sorted(store.each_run(attempts, quarantines), key=lambda record: record.position))
    kept = {record.attempt_id for record in runs}
    warmups, contaminated, quarantined = 0, [], []
    for record in attempts:
        warmups += record.key.iteration == 0
        if record.status == Status.CONTAMINATED:
            contaminated.append(record.key)
        if found := quarantines.get(record.attempt_id):
            quarantined.append(Quarantined(record.key, found, record.attempt_id in kept))
    return Stored(
        store=store,
        runs=runs,
        warmups=warmups,
        contaminated=tuple(contaminated),
        quarantined=tuple(quarantined),
        probes=tuple(store.probes()),
        checks=tuple(store.checks()),
        figure_meanings=store.figure_meanings(),
        audits=tuple(found for found in Judgements(store.folder).audits() if store.covers(found.run_id)),
    )
