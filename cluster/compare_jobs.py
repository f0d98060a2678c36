"""Which pairs of reports are still to be compared: read from the store, without Ray.

A pair is two distinct texts on one item and arm that different frameworks wrote; what several wrote is one
text. Each pair is asked in both orders. Only this choice knows the frameworks: the judge is shown two texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from cluster.experiment import Experiment
from judge.chat import JudgeEndpoint
from judge.compare_reports import ComparedReport, compare_reports
from shared.judgement_store import Judgements
from shared.judgements import Comparison
from shared.packing import text_digest
from shared.records import RunRecord, Status
from shared.store import Store
from shared.yardsticks import Rubric

Pair = tuple[RunRecord, RunRecord]


@dataclass(frozen=True)
class CompareJob:
    """Two reports in the order in which they are shown, and what they are held against."""

    task: str
    item: str
    first: ComparedReport
    second: ComparedReport
    description: str
    rubric: Rubric
    evidence: str

    def ask(self, endpoint: JudgeEndpoint, judge: str) -> Comparison:
        """Raises JudgeUnavailable."""
        return compare_reports(
            self.first,
            self.second,
            task=self.task,
            item=self.item,
            description=self.description,
            rubric=self.rubric,
            evidence=self.evidence,
            endpoint=endpoint,
            judge_name=judge,
        )


def uncompared(store: Store, experiment: Experiment, judge: str) -> list[CompareJob]:
    """The pairs without a comparison by `judge`, in an order that hides the frameworks."""
    if not experiment.settings.judge_pairs:
        return []
    texts = {record.attempt_id: text_digest(record.text) for record in store.attempts()}
    done = {
        (found.rubric, found.item, texts.get(found.first_attempt_id), texts.get(found.second_attempt_id))
        for found in Judgements(store.folder).comparisons()
        if found.judge == judge
    }
    jobs = {}
    for first, second in _both_orders(pairs(store, experiment)):
        rubric = experiment.task_of(first.key).rubric
        if rubric is None:
            continue
        job = _job(experiment, first, second, rubric)
        key = (job.rubric.label, job.item, texts[first.attempt_id], texts[second.attempt_id])
        if key not in done:
            jobs[key] = job
    return sorted(jobs.values(), key=lambda job: _draw("", job.first.text, job.second.text))


def pairs(store: Store, experiment: Experiment) -> list[Pair]:
    """At most `judge_pairs_limit` for each item and arm: the first in an order drawn with the plan's seed."""
    groups: dict[tuple[str, str, str], dict[str, list[RunRecord]]] = {}
    for record in store.runs():
        if record.status is Status.COMPLETED:
            place = (record.key.task, record.key.item, record.key.arm)
            groups.setdefault(place, {}).setdefault(record.text, []).append(record)
    seed, limit = str(experiment.plan.seed), experiment.settings.judge_pairs_limit
    chosen: list[Pair] = []
    for texts in groups.values():
        found = list(_pairs_among(texts))
        found.sort(key=lambda pair: _draw(seed, *sorted((pair[0].text, pair[1].text))))
        chosen += found[:limit]
    return chosen


def _pairs_among(texts: dict[str, list[RunRecord]]) -> Iterator[Pair]:
    for these, those in combinations(texts.values(), 2):
        for pair in ((one, other) for one in these for other in those):
            if pair[0].key.framework != pair[1].key.framework:
                yield pair
                break


def _both_orders(found: list[Pair]) -> Iterator[Pair]:
    for first, second in found:
        yield first, second
        yield second, first


def _draw(seed: str, first: str, second: str) -> str:
    return hashlib.sha256(f"{seed}:{text_digest(first)}:{text_digest(second)}".encode()).hexdigest()


def _job(experiment: Experiment, first: RunRecord, second: RunRecord, rubric: Rubric) -> CompareJob:
    task, item = experiment.task_of(first.key), first.key.item
    return CompareJob(
        task=task.name,
        item=item,
        first=ComparedReport(first.attempt_id, first.text),
        second=ComparedReport(second.attempt_id, second.text),
        description=task.description(item),
        rubric=rubric,
        evidence=task.evidence(item),
    )
