"""Ask judges what their audits need."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.audit_jobs import AuditJob, audit_jobs, sampled
from cluster.judge_missing import judge_all
from cluster.session import ray_session
from cluster.workspace import Workspace
from shared.errors import NodeFailed, UserError
from shared.judgement_store import Judgements
from shared.judgements import AuditVerdict


def ask_for_audit(work: Workspace, *, reports: int, repeats: int) -> int:
    """Ask each of the panel what it was not asked yet. How many questions are left without an answer.

    Raises:
        UserError: There is no report.
    """
    if not sampled(work.store.runs(), 1):
        raise UserError(f"{work.store.folder} holds no report to show a judge: run its plan first.")
    judges = work.settings.panel
    owed = {judge: _owed(work, judge, reports, repeats) for judge in judges}
    if not any(owed.values()):
        work.progress.say("Every question of this audit is answered already.")
        return 0
    work.progress.stage("Starting Ray")
    with ray_session(work.settings.ray_address):
        for judge in judges:
            _ask(work, judge, owed[judge])
    return sum(len(_owed(work, judge, reports, repeats)) for judge in judges)


def _owed(work: Workspace, judge: str, reports: int, repeats: int) -> list[AuditJob]:
    """What cannot be planted is recorded at once."""
    owed, refused = audit_jobs(work.store, work.experiment, judge, reports=reports, repeats=repeats)
    _keep(work, refused)
    return owed


def _keep(work: Workspace, refused: Iterable[AuditVerdict]) -> None:
    kept = Judgements(work.store.folder)
    for record in refused:
        kept.write_audit(record)


def _ask(work: Workspace, judge: str, jobs: list[AuditJob]) -> None:
    if not jobs or work.interrupts.stopping:
        return
    work.progress.say(f"{len(jobs)} questions to {judge}")
    try:
        judge_all(work, judge, jobs)
    except (UserError, NodeFailed) as error:
        work.progress.warn(f"{judge} has not been audited: {error}")
