"""The attempts of one session: what each is sent out with, and what it leaves on disk."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from cluster.experiment import job_of
from cluster.framework_worker import ERROR_CHARACTERS
from cluster.inference_node import MeasuredRun
from cluster.judge_jobs import JudgeJob, judge_job, text_key
from cluster.machine_load import disturbances
from cluster.replay import Recording
from cluster.run_job import RunJob
from cluster.run_record import Ending, run_record
from cluster.schedule import Assignment, Kept, complete
from cluster.spans.sink import SpanSink
from cluster.workspace import Workspace
from shared.records import RunRecord, Status
from shared.store import Store
from shared.surroundings import Quarantine

LATE_CALLS = "its process went on after its end and sent requests during {run_id}, attempt {attempt}"


@dataclass(frozen=True, slots=True)
class Written:
    """What was found when an attempt was written."""

    disturbed: list[str]
    """Why its times say nothing, in words; empty: they do."""
    spoilt: list[Assignment]
    """Earlier attempts that no longer count, because they disturbed this one."""


class Attempts:
    """Every record of a session goes to disk through `keep`, in one thread."""

    def __init__(self, work: Workspace, spans: SpanSink, recording: Recording | None) -> None:
        self._work = work
        self._spans = spans
        self._recording = recording
        self._jobs: dict[Assignment, RunJob] = {}
        self._assignments: dict[str, Assignment] = {}
        self._texts = {
            text_key(record) for record in work.store.each_run() if record.status is Status.COMPLETED
        }

    def job_for(self, assignment: Assignment) -> RunJob:
        """The same for the same attempt, whoever asks: its process is started before it is measured."""
        if assignment not in self._jobs:
            attempt_id = secrets.token_hex(8)
            job = job_of(self._work.experiment, assignment, attempt_id, self._recording)
            self._jobs[assignment] = job
            self._assignments[attempt_id] = assignment
        return self._jobs[assignment]

    def keep(self, measured: MeasuredRun) -> Written:
        """Write the record, its trace, and what follows from it for this and for earlier attempts."""
        record, store = measured.record, self._work.store
        self._spans.keep(store.write_run(record, measured.calls), measured.calls)
        self._jobs.pop(self._assignments[record.attempt_id], None)
        disturbed: list[str] = []
        counts = record.status.is_final and record.key.iteration > 0
        if record.machine and counts:
            disturbed = disturbances(record.machine, self._work.experiment.plan.disturbance)
        if disturbed:
            store.write_quarantine(
                Quarantine(
                    run_id=record.key.run_id,
                    attempt=record.attempt,
                    attempt_id=record.attempt_id,
                    code="disturbed",
                    reasons=disturbed,
                )
            )
        return Written(
            disturbed, [self._spoil(attempt_id, record) for attempt_id in measured.contaminated_by]
        )

    def lost(self, assignment: Assignment, node: str, error: Exception) -> MeasuredRun:
        """The record of an attempt whose node is gone; whatever the node still makes of it has no taker."""
        why = f"The node was lost during the run: {type(error).__name__}: {error}"
        ending = Ending(Status.INFRASTRUCTURE_ERROR, why[:ERROR_CHARACTERS])
        return MeasuredRun(run_record(self.job_for(assignment), node, ending), [], [])

    def new_judge_jobs(self, record: RunRecord) -> list[JudgeJob]:
        """A job per repeat; none for a warm-up, a failure, a task without rubric, a text that is judged."""
        counts = record.status is Status.COMPLETED and record.key.iteration > 0
        rubric = self._work.experiment.task_of(record.key).rubric
        if not counts or rubric is None or text_key(record) in self._texts:
            return []
        self._texts.add(text_key(record))
        repeats = range(1, self._work.settings.judge_repeats + 1)
        return [judge_job(self._work.experiment, record, rubric, repeat) for repeat in repeats]

    def _spoil(self, attempt_id: str, disturbed: RunRecord) -> Assignment:
        earlier = self._assignments[attempt_id]
        reason = LATE_CALLS.format(run_id=disturbed.key.run_id, attempt=disturbed.attempt)
        self._work.store.write_quarantine(
            Quarantine(
                run_id=earlier.key.run_id,
                attempt=earlier.attempt,
                attempt_id=attempt_id,
                code="late_calls",
                reasons=[reason],
            )
        )
        return earlier


def kept_in(store: Store, disturbed_attempts: int) -> Kept:
    done = complete(store.each_run(), store.quarantines(), disturbed_attempts)
    return Kept(done, store.last_attempts(), store.stopped() is not None)
