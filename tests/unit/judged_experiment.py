"""A made-up experiment on a real task, with reports and nobody's verdict yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cluster.experiment import Experiment, describe_experiment
from judge.chat import JudgeEndpoint
from judge.judge_prompt import ASKING
from shared.plan import Plan, TaskPlan
from shared.records import JudgeAttempt, RunKey, RunRecord, Verdict
from shared.settings import load_settings
from shared.store import Store
from tests.unit.stored_records import begun, run

TASK = "company_research"
RUBRIC = f"{TASK}/1.{ASKING}"
PLAN = Plan(
    name="p",
    frameworks=["direct", "langgraph", "crewai"],
    arms=["idiomatic", "equalised"],
    tasks=[TaskPlan(name=TASK, items=["stripe", "datadog"])],
)
NOWHERE = JudgeEndpoint("http://127.0.0.1:9/v1", "m")


def experiment(**settings: Any) -> Experiment:
    return describe_experiment(PLAN, load_settings({"llm_model": "llamacpp:smollm2-135m", **settings}))


def store_with(folder: Path, *reports: tuple[str, str]) -> Store:
    """Of each (framework, text) a report on Stripe in the idiomatic arm."""
    store = begun(folder)
    for framework, text in reports:
        add_report(store, framework, text)
    return store


def add_report(
    store: Store,
    framework: str,
    text: str,
    *,
    item: str = "stripe",
    arm: str = "idiomatic",
    iteration: int = 1,
) -> RunRecord:
    position = len(store.runs())
    key = RunKey(framework=framework, arm=arm, task=TASK, item=item, iteration=iteration)
    record = run(framework, key=key, attempt_id=f"id{position}", text=text, position=position)
    store.write_run(record, [])
    return record


def opinion(run_id: str, attempt_id: str, judge: str, repeat: int = 1, **fields: Any) -> Verdict:
    values: dict[str, Any] = {
        "run_id": run_id, "attempt_id": attempt_id, "judge": judge, "rubric": RUBRIC, "repeat": repeat,
        "scored": True, "scores": {"accuracy": 5}, "overall": 5.0,
        "attempts": [JudgeAttempt(text="{}", prompt_tokens=900, seconds=1)],
    }  # fmt: skip
    return Verdict(**values | fields)
