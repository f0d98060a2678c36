"""Which reports are still to be checked and judged: read from the store, without Ray."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.experiment import Experiment
from judge.checks import check_report, checks_label
from shared.packing import text_digest
from shared.records import RunRecord, Status, Verdict
from shared.store import Store
from shared.yardsticks import CheckSpec, Rubric


@dataclass(frozen=True)
class JudgeJob:
    """One report and what it is held against. No word of the framework."""

    run_id: str
    attempt_id: str
    text: str
    description: str
    rubric: Rubric
    evidence: str


def check_reports(store: Store, experiment: Experiment) -> None:
    """Checks without a model, of every complete report that has none yet by today's rules."""
    checked = {(check.attempt_id, check.checks) for check in store.checks()}
    specs: dict[tuple[str, str], CheckSpec] = {}
    for record in store.runs():
        if record.status is Status.COMPLETED:
            of_item = (record.key.task, record.key.item)
            if of_item not in specs:
                specs[of_item] = experiment.task_of(record.key).check_spec(record.key.item)
            spec = specs[of_item]
            if (record.attempt_id, checks_label(spec)) not in checked:
                store.write_check(check_report(record.text, record.key.run_id, record.attempt_id, spec))


def unjudged(store: Store, experiment: Experiment) -> list[JudgeJob]:
    """Each distinct report without a verdict of the settings' judge, in an order that hides the framework."""
    if not experiment.settings.judges:
        return []
    judged = _judged(store, experiment)
    jobs = []
    for same_text in _by_text(store).values():
        if any(record.attempt_id in judged for record in same_text):
            continue
        jobs.append(judge_job(experiment, same_text[0]))
    return sorted(jobs, key=lambda job: job.attempt_id)


def judge_job(experiment: Experiment, record: RunRecord) -> JudgeJob:
    task, item = experiment.task_of(record.key), record.key.item
    return JudgeJob(
        run_id=record.key.run_id,
        attempt_id=record.attempt_id,
        text=record.text,
        description=task.description(item),
        rubric=task.rubric,
        evidence=task.evidence(item),
    )


def text_key(record: RunRecord) -> tuple[str, str, str]:
    """Reports with the same key are one report: same task, item and text."""
    return (record.key.task, record.key.item, text_digest(record.text))


def share_verdicts(store: Store, experiment: Experiment) -> None:
    """Reports with the very same text get the same verdict, marked as taken over."""
    judged = _judged(store, experiment)
    for same_text in _by_text(store).values():
        verdict = next((judged[r.attempt_id] for r in same_text if r.attempt_id in judged), None)
        for record in same_text:
            if verdict and record.attempt_id not in judged:
                ids = {"run_id": record.key.run_id, "attempt_id": record.attempt_id}
                source = verdict.same_text_as or verdict.run_id
                store.write_verdict(
                    verdict.model_copy(update={**ids, "same_text_as": source, "attempts": []})
                )


def _judged(store: Store, experiment: Experiment) -> dict[str, Verdict]:
    judge = experiment.settings.judge
    return {verdict.attempt_id: verdict for verdict in store.verdicts() if verdict.judge == judge}


def _by_text(store: Store) -> dict[tuple[str, str, str], list[RunRecord]]:
    """Complete reports, those with the same text on the same item together."""
    found: dict[tuple[str, str, str], list[RunRecord]] = {}
    for record in store.runs():
        if record.status is Status.COMPLETED:
            found.setdefault(text_key(record), []).append(record)
    return found
