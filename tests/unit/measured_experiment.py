"""A made-up experiment on disk with everything that is measured: calls, parts, probes, machine, two arms, A/A.

Clean: one speed, no disturbance, honest meters. Tests spoil it in one way at a time.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.analyse import analyse
from analysis.read_runs import read_runs
from analysis.result import CRITERIA, Analysis
from cluster.runs_csv import write_runs_csv
from shared.calls import Call, ServerTimings
from shared.latency import take_apart, take_apart_by_agent
from shared.manifest import FrameworkEntry, Manifest
from shared.plan import Plan, TaskPlan, ordered_runs
from shared.records import Boot, JudgeAttempt, RunKey, RunRecord, Status, Verdict
from shared.store import Store
from shared.surroundings import MachineLoad, Probe

AGENTS = ("researcher", "analyst", "writer")
ITEMS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")
TOKENS_PER_S = 20.0
PREFILL_TOKENS_PER_S = 1000.0
OWN_S = {"direct": 0.01, "langgraph": 0.05, "crewai": 0.25}
"""Seconds of the framework's own before each call."""
EXTRA_PROMPT = {"direct": 0, "langgraph": 500, "crewai": 200}
"""Tokens that the idiomatic arm adds to each request."""
JUDGE = "openai:judge"

Change = Callable[[RunRecord], RunRecord]
Wire = Callable[[RunKey, list[Call]], list[Call]]


def stored_experiment(
    folder: Path,
    *,
    change: Change = lambda record: record,
    wire: Wire = lambda _, calls: calls,
    **plan: Any,
) -> Store:
    """Runs, calls, verdicts, probes and manifest; runs.csv is not there yet."""
    planned = Plan(
        **{
            "name": "made-up",
            "frameworks": list(OWN_S),
            "arms": ["idiomatic", "equalised"],
            "aa": ["langgraph"],
            "tasks": [TaskPlan(name="t", items=list(ITEMS))],
        }
        | plan
    )
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(folder)
    store.begin(_manifest(planned))
    noise = random.Random(11)  # noqa: S311 - seeded on purpose
    position = 0
    for number, block in enumerate(ordered_runs(planned)):
        store.write_probe(_probe(2 * number, block[0], "before", position))
        for key in block:
            record, calls = made_run(key, position, noise)
            record = change(record)
            store.write_run(record, wire(key, calls))
            if record.status == Status.COMPLETED:
                store.write_verdict(_verdict(record, noise))
            position += 1
        store.write_probe(_probe(2 * number + 1, block[0], "after", position))
    return store


def analyse_store(store: Store) -> Analysis:
    write_runs_csv(store)
    return analyse(read_runs(store.folder))


def made_run(key: RunKey, position: int, noise: random.Random) -> tuple[RunRecord, list[Call]]:
    framework = key.framework.removesuffix("-aa")
    calls, at = [], 0.5
    started_s = at
    for number, agent in enumerate(AGENTS, start=1):
        prompt = 1000 + (EXTRA_PROMPT[framework] if key.arm == "idiomatic" else 0)
        completion = noise.randint(90, 110)
        arrived = at + OWN_S[framework] * noise.uniform(0.9, 1.1)
        forwarded = arrived + 0.002
        first_token = forwarded + 0.01 + prompt / PREFILL_TOKENS_PER_S
        last = first_token + completion / TOKENS_PER_S
        at = last + 0.003
        calls.append(
            Call(
                sequence=number, kind="model", path="/v1/chat/completions", agent=agent, arrived_s=arrived,
                forwarded_s=forwarded, last_byte_s=last, delivered_s=at, status=200,
                server=ServerTimings(
                    prefill_s=prompt / PREFILL_TOKENS_PER_S, decode_s=completion / TOKENS_PER_S
                ),
                request={"messages": []}, response={}, prompt_tokens=prompt, completion_tokens=completion,
                cached_tokens=0, finish_reason="stop",
            )
        )  # fmt: skip
    ended_s = at + OWN_S[framework]
    prompt_tokens = sum(call.prompt_tokens or 0 for call in calls)
    completion_tokens = sum(call.completion_tokens or 0 for call in calls)
    return RunRecord(
        key=key, attempt=1, attempt_id=f"{position:04x}", status=Status.COMPLETED, position=position,
        node="n1", started_at=at_minute(position), latency_s=ended_s - started_s, started_s=started_s,
        model_s=sum(call.last_byte_s - call.arrived_s for call in calls), tool_s=0.0,
        parts=take_apart(calls, started_s, ended_s),
        agent_parts=take_apart_by_agent(calls, started_s, ended_s),
        prompt_tokens=prompt_tokens, completion_tokens=completion_tokens, cached_tokens=0, model_calls=3,
        tool_calls=0, native_prompt_tokens=prompt_tokens, native_completion_tokens=completion_tokens,
        server_prompt_tokens=prompt_tokens, server_completion_tokens=completion_tokens,
        text=f"report {position}",
        boot=Boot(process_s=0.9, import_s=1.5, versions={}, python="3.11"),
        machine=MachineLoad(
            seconds=ended_s, processors=2, busy_share=0.55, own_share=0.5, other_share=0.05, steal_share=0.01,
            cpu_pressure=0.1, io_pressure=0.0, memory_pressure=0.0, least_available_mib=9000, load_1min=1.0,
        ),
    ), calls  # fmt: skip


def at_minute(minute: float) -> str:
    hours, minutes = divmod(int(minute), 60)
    return f"2026-01-02T{hours:02}:{minutes:02}:{round(minute % 1 * 60):02}+00:00"


def _probe(number: int, key: RunKey, when: Any, position: int) -> Probe:
    return Probe(
        number=number, node="n1", block=".".join(map(str, key.block)), when=when,
        at=at_minute(max(0, position - 0.5)), seconds=1.35, prompt_tokens=150, completion_tokens=24,
        prefill_s=0.15, decode_s=1.2, text_sha256="d" * 64,
    )  # fmt: skip


def _verdict(record: RunRecord, noise: random.Random) -> Verdict:
    scores = {criterion: noise.randint(3, 8) for criterion in CRITERIA}
    return Verdict(
        run_id=record.key.run_id, attempt_id=record.attempt_id, judge=JUDGE, rubric="t/1", scored=True,
        scores=scores, overall=sum(scores.values()) / len(scores), judge_overall=5.0,
        attempts=[JudgeAttempt(text="{}", seconds=1.0)],
    )  # fmt: skip


def _manifest(plan: Plan) -> Manifest:
    return Manifest(
        experiment="made-up",
        created_at="2026-01-02T03:04:05+00:00",
        levelfield="0.1.0",
        plan=plan,
        settings={"llm_model": "llamacpp:small", "judge_model": JUDGE},
        identity={"code": "1"},
        frameworks={
            name: FrameworkEntry(title=title, versions={name: "1.0"})
            for name, title in (
                ("direct", "No framework (direct)"),
                ("langgraph", "LangGraph"),
                ("crewai", "CrewAI"),
            )
            if name in plan.frameworks
        },
        server={"digest": "d"},
        hardware={"processors": 2},
    )
