"""What an audit asks a judge: real reports as they are, several times, and copies with planted defects."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from cluster.experiment import Experiment
from cluster.judge_jobs import JudgeJob, judge_job, text_key
from judge.chat import JudgeEndpoint
from judge.checks import count_words
from judge.damage import CannotPlant, damage
from judge.judge_prompt import verdict_label
from shared.defects import DEFECTS
from shared.judgement_store import Judgements
from shared.judgements import AuditVerdict
from shared.packing import text_digest
from shared.records import RunRecord, Status, Verdict
from shared.store import Store

SEED = 7
"""Of the sample; a larger one begins with the reports of a smaller one."""


@dataclass(frozen=True)
class AuditJob:
    """One report, or a copy with a defect, shown to the judge once."""

    job: JudgeJob
    """With the text that the judge is shown."""
    defect: str
    """Empty: the report as it is."""

    def ask(self, endpoint: JudgeEndpoint, judge: str) -> AuditVerdict:
        """Raises JudgeUnavailable."""
        return self._record(judge, self.job.ask(endpoint, judge))

    def refused(self, judge: str, why: str) -> AuditVerdict:
        """The record of a defect that has no place in the report."""
        return self._record(judge, None, why)

    def _record(self, judge: str, verdict: Verdict | None, not_planted: str = "") -> AuditVerdict:
        return AuditVerdict(
            judge=judge,
            rubric=verdict_label(self.job.rubric),
            run_id=self.job.run_id,
            attempt_id=self.job.attempt_id,
            defect=self.defect,
            repeat=self.job.repeat,
            text_sha256=text_digest(self.job.text),
            words=count_words(self.job.text),
            not_planted=not_planted,
            scored=verdict is not None and verdict.scored,
            scores=verdict.scores if verdict else {},
            weighed=verdict is not None and verdict.weighed,
            overall=verdict.overall if verdict else None,
            judge_overall=verdict.judge_overall if verdict else None,
            attempts=verdict.attempts if verdict else [],
        )


def audit_jobs(
    store: Store, experiment: Experiment, judge: str, *, reports: int, repeats: int
) -> tuple[list[AuditJob], list[AuditVerdict]]:
    """What the judge was not asked yet, and the records of defects that cannot be planted.

    Args:
        store: Of the experiment.
        experiment: With the tasks' rubrics and facts.
        judge: Who is asked.
        reports: At most so many distinct ones.
        repeats: How often each is shown as it is; its damaged copies are shown once.
    """
    done = {
        (found.attempt_id, found.rubric, found.defect, found.repeat)
        for found in Judgements(store.folder).audits()
        if found.judge == judge
    }
    owed: list[AuditJob] = []
    refused: list[AuditVerdict] = []
    for asked in _in_rounds(experiment, sampled(store.runs(), reports), repeats):
        if (
            asked.job.attempt_id,
            verdict_label(asked.job.rubric),
            asked.defect,
            asked.job.repeat,
        ) not in done:
            planted = _planted(asked)
            if isinstance(planted, CannotPlant):
                refused.append(asked.refused(judge, str(planted)))
            else:
                owed.append(planted)
    return owed, refused


def sampled(records: Iterable[RunRecord], most: int) -> list[RunRecord]:
    """One record for each distinct report, in turn from each task, item and framework, in a seeded order."""
    strata: dict[tuple[str, str, str], list[RunRecord]] = {}
    seen: set[tuple[str, str, str]] = set()
    drawn = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    complete = [record for record in records if record.status is Status.COMPLETED and record.text.strip()]
    for record in sorted(complete, key=lambda record: record.attempt_id):
        if text_key(record) not in seen:
            seen.add(text_key(record))
            strata.setdefault((record.key.task, record.key.item, record.key.framework), []).append(record)
    queues = list(strata.values())
    drawn.shuffle(queues)
    for queue in queues:
        drawn.shuffle(queue)
    longest = max(map(len, queues), default=0)
    in_turn = [queue[place] for place in range(longest) for queue in queues if place < len(queue)]
    return in_turn[:most]


def _in_rounds(experiment: Experiment, records: list[RunRecord], repeats: int) -> Iterator[AuditJob]:
    """Each question of all reports before the next, so that an audit that is broken off has seen them all.

    Copies are asked in repeat 1: in the same order of criteria and facts as the report in it.
    """
    rounds = [("", 1), *((defect, 1) for defect in DEFECTS), *(("", r) for r in range(2, repeats + 1))]
    for defect, repeat in rounds:
        for record in records:
            if rubric := experiment.task_of(record.key).rubric:
                yield AuditJob(judge_job(experiment, record, rubric, repeat), defect)


def _planted(asked: AuditJob) -> AuditJob | CannotPlant:
    if not asked.defect:
        return asked
    try:
        text = damage(asked.job.text, asked.defect, evidence=asked.job.evidence, seed=SEED)
    except CannotPlant as reason:
        return reason
    return AuditJob(replace(asked.job, text=text), asked.defect)
