"""Records of a small made-up experiment, and a folder that holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shared.manifest import Manifest
from shared.plan import Plan, TaskPlan
from shared.records import JudgeAttempt, RunKey, RunRecord, Status, Verdict
from shared.store import Store

JUDGE = "scripted:instant"


def begun(folder: Path, **plan: Any) -> Store:
    """A store of frameworks a and b on item x."""
    planned = {"name": "p", "frameworks": ["a", "b"], "tasks": [TaskPlan(name="t", items=["x"])]} | plan
    folder.mkdir(exist_ok=True)
    store = Store(folder)
    store.begin(
        Manifest(
            experiment="e",
            created_at="2026-01-02T03:04:05Z",
            levelfield="0",
            plan=Plan(**planned),
            settings={"llm_model": "scripted:instant", "judge_model": None},
            identity={"code": "1"},
            frameworks={},
            server={"digest": "d"},
            hardware={},
        )
    )
    return store


def run(
    framework: str = "a", attempt: int = 1, status: Status = Status.COMPLETED, **fields: Any
) -> RunRecord:
    values: dict[str, Any] = {
        "key": RunKey(framework=framework, arm="idiomatic", task="t", item="x", iteration=1),
        "attempt": attempt,
        "attempt_id": f"{framework}{attempt}",
        "status": status,
        "position": 0,
        "node": "n",
        "started_at": "2026-01-02T03:04:05Z",
        "latency_s": 3.5,
        "model_s": 2.5,
        "tool_s": 0.25,
        "prompt_tokens": 1000,
        "completion_tokens": 500,
        "model_calls": 3,
        "tool_calls": 0,
    }
    return RunRecord(**values | fields)


def verdict(record: RunRecord, **fields: Any) -> Verdict:
    values: dict[str, Any] = {
        "run_id": record.key.run_id,
        "attempt_id": record.attempt_id,
        "judge": JUDGE,
        "rubric": "t/1",
        "scored": True,
        "scores": {"completeness": 7, "accuracy": 8},
        "overall": 7.5,
        "judge_overall": 9.0,
        "attempts": [JudgeAttempt(text="{}", seconds=1.0)],
    }
    return Verdict(**values | fields)
