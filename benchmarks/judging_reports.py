"""The reports that every subject of `judging` judges, and the experiment's folder that holds them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.mock import MODEL
from benchmarks.result import now
from benchmarks.texts import text_of
from shared.manifest import FrameworkEntry, Manifest
from shared.plan import Plan, TaskPlan
from shared.records import RunKey, RunRecord, Status
from shared.store import Store
from shared.tasks.load_task import load_task
from shared.yardsticks import CheckSpec, Rubric

TASK, ITEM = "company_research", "stripe"
FRAMEWORKS = ("direct", "langgraph")
"""Whose names the reports carry: a report page needs two."""
REPORT_CHARACTERS = 5500
"""An 800-word report has about as many."""


@dataclass(frozen=True, slots=True)
class Reports:
    """No two of them alike, so that each gets a verdict of its own."""

    texts: list[str]
    description: str
    evidence: str
    rubric: Rubric
    checks: CheckSpec

    def config(self, base_url: str, parallel: int, count: int) -> dict[str, Any]:
        """For a program of this folder: the first `count` of them, and whom to ask."""
        return {
            "base_url": base_url,
            "model": MODEL,
            "parallel": parallel,
            "reports": self.texts[:count],
            "description": self.description,
            "evidence": self.evidence,
            "rubric": self.rubric.model_dump(mode="json"),
            "checks": self.checks.model_dump(mode="json"),
        }


def report_set(count: int) -> Reports:
    task, filler = load_task(TASK), text_of(REPORT_CHARACTERS)
    assert task.rubric
    return Reports(
        [f"# Report {number}\n\n{filler}" for number in range(1, count + 1)],
        task.description(ITEM),
        task.evidence(ITEM),
        task.rubric,
        task.check_spec(ITEM),
    )


def write_experiment(folder: Path, judged: Reports) -> None:
    """As `levelfield run` leaves it before anybody has judged."""
    folder.mkdir(parents=True)
    store = Store(folder)
    iterations = -(-len(judged.texts) // len(FRAMEWORKS))
    store.begin(_manifest(folder.name, iterations))
    for record in _records(judged.texts):
        store.write_run(record, ())


def forget_verdicts(folder: Path) -> None:
    """So that the next round judges again."""
    shutil.rmtree(folder / "verdicts", ignore_errors=True)


def own_verdicts(folder: Path) -> int:
    """How many reports have a usable verdict that is not another's."""
    return sum(verdict.scored and verdict.same_text_as is None for verdict in Store(folder).verdicts())


def _manifest(name: str, iterations: int) -> Manifest:
    plan = Plan(
        name="judging",
        frameworks=list(FRAMEWORKS),
        tasks=[TaskPlan(name=TASK, items=[ITEM])],
        iterations=iterations,
    )
    return Manifest(
        experiment=name,
        created_at=now(),
        levelfield="benchmark",
        plan=plan,
        settings={"llm_model": "openai:writer"},
        identity={},
        frameworks={name: FrameworkEntry(title=name, versions={}) for name in FRAMEWORKS},
        server={},
        hardware={},
    )


def _records(texts: list[str]) -> Iterator[RunRecord]:
    for number, text in enumerate(texts):
        iteration, place = divmod(number, len(FRAMEWORKS))
        key = RunKey(
            framework=FRAMEWORKS[place], arm="idiomatic", task=TASK, item=ITEM, iteration=iteration + 1
        )
        yield RunRecord(
            key=key,
            attempt=1,
            attempt_id=f"report{number}",
            status=Status.COMPLETED,
            position=number,
            node="benchmark",
            started_at=now(),
            latency_s=1.0,
            model_s=1.0,
            tool_s=0.0,
            prompt_tokens=1000,
            completion_tokens=1000,
            model_calls=3,
            tool_calls=0,
            text=text,
        )
