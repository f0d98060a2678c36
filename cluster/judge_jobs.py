"""Which reports are still to be checked and judged: read from the store, without Ray."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from cluster.experiment import Experiment
from judge.chat import JudgeEndpoint
from judge.checks import check_report, checks_label
from judge.judge_prompt import verdict_label
from judge.judge_report import judge_report
from shared.packing import text_digest
from shared.records import RunRecord, Status, Verdict
from shared.score_figures import FigureMeanings
from shared.store import Store
from shared.tasks.score import Answer, ToolUse
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
    checks: CheckSpec
    repeat: int = 1

    def ask(self, endpoint: JudgeEndpoint, judge: str) -> Verdict:
        """Raises JudgeUnavailable."""
        return judge_report(
            self.text,
            run_id=self.run_id,
            attempt_id=self.attempt_id,
            description=self.description,
            rubric=self.rubric,
            evidence=self.evidence,
            checks=self.checks,
            endpoint=endpoint,
            judge_name=judge,
            repeat=self.repeat,
        )


def check_reports(store: Store, experiment: Experiment) -> None:
    """Checks without a model, of every complete report that has none yet by today's rules.

    With them what the tasks' own scores count, also for results that were scored before this was kept.
    """
    for name, task in experiment.tasks.items():
        if task.figures:
            version, figures = task.definition.version, dict(task.figures)
            store.write_figure_meanings(FigureMeanings(task=name, version=version, figures=figures))
    checked = {(check.attempt_id, check.checks) for check in store.checks()}
    specs: dict[tuple[str, str], CheckSpec] = {}
    for record in store.runs():
        if record.status is Status.COMPLETED:
            of_item = (record.key.task, record.key.item)
            if of_item not in specs:
                specs[of_item] = experiment.task_of(record.key).check_spec(record.key.item)
            spec = specs[of_item]
            if (record.attempt_id, checks_label(spec)) not in checked:
                check = check_report(record.text, record.key.run_id, record.attempt_id, spec)
                store.write_check(check.model_copy(update=_score(store, experiment, record)))


def _score(store: Store, experiment: Experiment, record: RunRecord) -> dict[str, Any]:
    """What the task's own exact score adds to the checks."""
    calls = [call for call in store.calls(record) if call.kind == "tool" and call.status == HTTPStatus.OK]
    # Calls made at once may be carried out in another order than they came.
    calls.sort(key=lambda call: call.last_byte_s)
    answer = Answer(
        text=record.text,
        agent_outputs=record.agent_outputs,
        tool_calls=tuple(
            ToolUse(
                name=call.path.rpartition("/")[2],
                arguments=call.request,
                result=call.response or "",
                said=tuple(asked.said for asked in call.asked),
            )
            for call in calls
        ),
    )
    score = experiment.task_of(record.key).score(record.key.item, answer)
    return score.model_dump(mode="python") | {"notes": list(score.notes)} if score else {}


def unjudged(store: Store, experiment: Experiment, judge: str | None = None) -> list[JudgeJob]:
    """Each distinct report in each repeat without a verdict, in an order that hides the framework.

    Args:
        store: Holds the reports and the verdicts.
        experiment: Says how often to ask, and of which rubric a verdict has to be.
        judge: Who is asked; None: the main judge.
    """
    settings = experiment.settings
    if not settings.panel:
        return []
    asked = judge or settings.judge
    found = {_opinion(verdict) for verdict in store.verdicts() if verdict.judge == asked}
    jobs: list[JudgeJob] = []
    for same_text in reports_by_text(store).values():
        rubric = experiment.task_of(same_text[0].key).rubric
        if rubric is None:
            continue
        jobs += (
            judge_job(experiment, same_text[0], rubric, repeat)
            for repeat in range(1, settings.judge_repeats + 1)
            if not any(
                (asked, verdict_label(rubric), repeat, record.attempt_id) in found for record in same_text
            )
        )
    return sorted(jobs, key=lambda job: (job.repeat, job.attempt_id))


def judge_job(experiment: Experiment, record: RunRecord, rubric: Rubric, repeat: int = 1) -> JudgeJob:
    task, item = experiment.task_of(record.key), record.key.item
    return JudgeJob(
        run_id=record.key.run_id,
        attempt_id=record.attempt_id,
        text=record.text,
        description=task.description(item),
        rubric=rubric,
        evidence=task.evidence(item),
        checks=task.check_spec(item),
        repeat=repeat,
    )


def text_key(record: RunRecord) -> tuple[str, str, str]:
    """Reports with the same key are one report: same task, item and text."""
    return (record.key.task, record.key.item, text_digest(record.text))


def share_verdicts(store: Store) -> None:
    """Reports with the very same text get the same verdicts, whoever's they are, marked as taken over."""
    found = {_opinion(verdict): verdict for verdict in store.verdicts()}
    asked = sorted({opinion[:3] for opinion in found})
    for same_text in reports_by_text(store).values():
        for judge, rubric, repeat in asked:
            keys = {record.attempt_id: (judge, rubric, repeat, record.attempt_id) for record in same_text}
            verdict = next((found[key] for key in keys.values() if key in found), None)
            for record in same_text:
                if verdict and keys[record.attempt_id] not in found:
                    store.write_verdict(_taken_over(verdict, record))


def reports_by_text(store: Store) -> dict[tuple[str, str, str], list[RunRecord]]:
    """Complete reports, those with the same text on the same item together."""
    found: dict[tuple[str, str, str], list[RunRecord]] = {}
    for record in store.runs():
        if record.status is Status.COMPLETED:
            found.setdefault(text_key(record), []).append(record)
    return found


def _opinion(verdict: Verdict) -> tuple[str, str, int, str]:
    """What a verdict is for: judge, rubric with its version, repeat, attempt."""
    return (verdict.judge, verdict.rubric, verdict.repeat, verdict.attempt_id)


def _taken_over(verdict: Verdict, record: RunRecord) -> Verdict:
    source = verdict.same_text_as or verdict.run_id
    update = {"run_id": record.key.run_id, "attempt_id": record.attempt_id, "same_text_as": source}
    return verdict.model_copy(update={**update, "attempts": []})
