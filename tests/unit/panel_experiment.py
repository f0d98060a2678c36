"""Verdicts and comparisons of made-up judges on a made-up experiment, without running anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.panel.authors import Author
from analysis.panel.read_verdicts import Verdicts
from cluster.runs_csv import write_runs_csv
from shared.judgement_store import Judgements
from shared.judgements import Comparison
from shared.manifest import Manifest
from shared.plan import Plan, TaskPlan
from shared.records import JudgeAttempt, RunKey, RunRecord, Status, Verdict
from shared.store import Store

ITEMS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")
FRAMEWORKS = ("direct", "langgraph", "crewai")
CRITERIA = ("completeness", "accuracy")

Scores = Callable[[str, RunRecord, int], float]
"""(judge, run, repeat) -> overall score."""


def verdicts_of(rows: Iterable[dict[str, Any]], *, main: str = "j1", **fields: Any) -> Verdicts:
    """A table of verdicts from rows of judge, subject, item, text, overall; a run for each text."""
    table = pd.DataFrame(list(rows), columns=["judge", "subject", "item", "text", "overall", "repeat"])
    table["repeat"] = table["repeat"].fillna(1).astype(int)
    table = table.assign(
        rubric="r/1", run_id="", framework=table["subject"], copy=False, scored=True, judge_overall=np.nan,
        reasoning="", accuracy=table["overall"],
    )  # fmt: skip
    runs = (
        table[["subject", "framework", "item", "text"]].drop_duplicates().assign(role="framework", node="n1")
    )
    return Verdicts(table=table, runs=runs, criteria=("accuracy",), main=main, **fields)


def compared(games: Iterable[tuple[str, str, str, str | None]], judge: str = "j1") -> Verdicts:
    """Verdicts that hold only comparisons: (item, first framework, second framework, winner)."""
    authors: dict[str, Author] = {}
    found = []
    for number, (item, first, second, winner) in enumerate(games):
        for name in (first, second):
            authors[f"{item}-{name}"] = Author(name, name, "framework", item, f"{item}-{name}")
        found.append(
            Comparison(
                judge=judge, rubric="r/1", task="t", item=item, first_attempt_id=f"{item}-{first}",
                second_attempt_id=f"{item}-{second}", repeat=number + 1, winner=winner, attempts=[],
            )
        )  # fmt: skip
    rows = [(a.subject, a.framework, a.role, a.item, a.text, a.node) for a in authors.values()]
    empty = verdicts_of([]).table
    return Verdicts(
        table=empty.astype({"scored": bool, "copy": bool}),
        runs=pd.DataFrame(rows, columns=["subject", "framework", "role", "item", "text", "node"]),
        criteria=("accuracy",),
        main=judge,
        comparisons=tuple(found),
        authors=authors,
    )


def judged_store(
    folder: Path,
    scores: Scores,
    *,
    judges: Iterable[str] = ("openai:gpt-x", "ollama:qwen3:14b"),
    repeats: int = 2,
    iterations: int = 2,
    text: Callable[[RunKey], str] = lambda key: f"report of {key.run_id}",
) -> Store:
    """A stored experiment in which every run is judged by every judge, `repeats` times."""
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(folder)
    plan = Plan(
        name="made-up", frameworks=list(FRAMEWORKS), arms=["idiomatic"], iterations=iterations,
        tasks=[TaskPlan(name="t", items=list(ITEMS))],
    )  # fmt: skip
    judges = list(judges)
    store.begin(
        Manifest(
            experiment="made-up", created_at="2026-01-02T03:04:05+00:00", levelfield="0", plan=plan,
            settings={"llm_model": "llamacpp:qwen2.5-coder-1.5b", "judge_model": judges[0]},
            identity={"code": "1"}, frameworks={}, server={}, hardware={},
        )
    )  # fmt: skip
    for record in _records(iterations, text):
        store.write_run(record, [])
        for judge in judges:
            for repeat in range(1, repeats + 1):
                store.write_verdict(verdict_on(record, judge, repeat, scores(judge, record, repeat)))
    write_runs_csv(store)
    return store


def compare_all(store: Store, judge: str, winner: Callable[[RunRecord, RunRecord], str | None]) -> None:
    """Every pair of frameworks on every item, first iterations, in both orders."""
    kept = Judgements(store.folder)
    first_runs = [record for record in store.runs() if record.key.iteration == 1]
    for a in first_runs:
        for b in first_runs:
            if a.key.item == b.key.item and a.key.framework != b.key.framework:
                kept.write_comparison(
                    Comparison(
                        judge=judge, rubric="t/1", task="t", item=a.key.item, first_attempt_id=a.attempt_id,
                        second_attempt_id=b.attempt_id, winner=winner(a, b),
                        attempts=[JudgeAttempt(text="{}", seconds=0.5, prompt_tokens=10, completion_tokens=2)],
                    )
                )  # fmt: skip


def _records(iterations: int, text: Callable[[RunKey], str]) -> Iterable[RunRecord]:
    position = 0
    for item in ITEMS:
        for iteration in range(1, iterations + 1):
            for framework in FRAMEWORKS:
                key = RunKey(framework=framework, arm="idiomatic", task="t", item=item, iteration=iteration)
                yield RunRecord(
                    key=key, attempt=1, attempt_id=f"{position:04x}", status=Status.COMPLETED,
                    position=position, node="n", started_at="2026-01-02T03:04:05Z", latency_s=3.5,
                    model_s=2.5, tool_s=0.25, prompt_tokens=1000, completion_tokens=500, model_calls=3,
                    tool_calls=0, text=text(key),
                )  # fmt: skip
                position += 1


def verdict_on(record: RunRecord, judge: str, repeat: int, overall: float) -> Verdict:
    return Verdict(
        run_id=record.key.run_id, attempt_id=record.attempt_id, judge=judge, rubric="t/1", repeat=repeat,
        scored=True, scores=dict.fromkeys(CRITERIA, round(overall)), overall=overall,
        reasoning=f"words of {judge}, repeat {repeat}",
        attempts=[JudgeAttempt(text="{}", seconds=2.0, prompt_tokens=100, completion_tokens=20)],
    )  # fmt: skip
