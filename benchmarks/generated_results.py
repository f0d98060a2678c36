"""A made-up experiment of any size: the table of its runs, its manifest, and records for as many as asked.

What it says of frameworks is invented, and its frameworks have no real names: it is there to be read fast.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from benchmarks.generated_records import GeneratedRun, digest_of, report_text, write_records
from shared.manifest import FrameworkEntry, Manifest
from shared.plan import Plan, TaskPlan
from shared.store import Store

TASK = "generated"
JUDGE = "scripted:judge"
CRITERIA = ("completeness", "accuracy", "structure", "insight", "readability")
ARMS = ("idiomatic", "equalised")
FAILED_SHARE = 0.01
DECODE_TOKENS_PER_S = 25.0
PREFILL_TOKENS_PER_S = 1000.0


Columns = dict[str, Any]
"""numpy arrays, or pyarrow's where a value may be missing; all of one length."""


@dataclass(frozen=True)
class Shape:
    """How many of what; iterations follow from the number of runs."""

    frameworks: int = 8
    items: int = 25
    arms: int = 2

    @property
    def cells(self) -> int:
        return self.frameworks * self.items * self.arms


def write_results(
    folder: Path, runs: int, *, shape: Shape = Shape(), records: int = 0, seed: int = 7
) -> Path:
    """Write `runs.csv`, `manifest.json` and, for the first `records` runs, what an experiment keeps of each.

    A multiple of `shape.cells` runs is balanced; with the default shape 10,000 is.
    Same arguments, same files.
    Records go to the disk one by one, as in an experiment: thousands of them want a folder in memory.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(folder)
    store.begin(_manifest(shape, iterations=-(-runs // shape.cells)))
    columns = _columns(runs, shape, seed)
    made = [_generated_run(columns, place) for place in range(min(records, runs))]
    columns["report_digest"] = np.array(_digests(columns, made), dtype=object)
    pa.csv.write_csv(pa.table(columns), folder / "runs.csv")
    write_records(store, made, judge=JUDGE)
    return folder


def _columns(runs: int, shape: Shape, seed: int) -> Columns:
    """Column -> a value per run, in the order in which they were made: blocks of every framework and arm."""
    noise = np.random.default_rng(seed)
    position = np.arange(runs)
    in_block, block = position % (shape.frameworks * shape.arms), position // (shape.frameworks * shape.arms)
    framework, arm = in_block % shape.frameworks, in_block // shape.frameworks
    item, iteration = block % shape.items, block // shape.items + 1
    failed = noise.random(runs) < FAILED_SHARE
    prompt = 3000 + 150 * framework * (arm == 0) + noise.integers(-40, 40, runs)
    completion = 600 + 10 * item + noise.integers(-80, 80, runs)
    prefill_s, decode_s = prompt / PREFILL_TOKENS_PER_S, completion / DECODE_TOKENS_PER_S
    framework_s = 0.05 * (framework + 1) * noise.uniform(0.8, 1.2, runs)
    scores = {
        name: np.clip(np.rint(5 + 0.2 * (framework % 4) + noise.normal(0, 1.2, runs)), 1, 10).astype(int)
        for name in CRITERIA
    }
    text = {
        "framework": _named("f{:02}", framework + 1),
        "arm": np.array(ARMS)[arm],
        "task": np.full(runs, TASK),
        "item": _named("item-{:03}", item + 1),
        "status": np.where(failed, "framework_error", "completed"),
        "error": np.where(failed, "ValueError: made up", ""),
        "judge": np.where(failed, "", JUDGE),
        "node": np.full(runs, "n1"),
        "started_at": np.char.add(
            np.datetime_as_string(np.datetime64("2026-01-02T03:04:05") + position * 40), "+00:00"
        ),
    }
    numbers = {
        "iteration": iteration,
        "attempt": np.ones(runs, dtype=int),
        "position": position,
        "latency_s": prefill_s + decode_s + framework_s,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "model_s": prefill_s + decode_s,
        "framework_s": framework_s,
        "prefill_s": prefill_s,
        "decode_s": decode_s,
        **{
            name: np.zeros(runs)
            for name in ("tool_s", "queue_s", "model_unsplit_s", "gateway_s", "steal_share")
        },
        **{name: np.zeros(runs, dtype=int) for name in ("tool_calls", "cached_tokens", "retried_calls")},
        "model_calls": np.full(runs, 3),
        "words": completion * 3 // 4,
        "fact_recall": noise.uniform(0.2, 0.6, runs),
        "busy_share": np.full(runs, 0.5),
        "other_share": np.full(runs, 0.02),
    }
    judged = scores | {"overall": np.mean(list(scores.values()), axis=0)}
    return text | numbers | {name: pa.array(value, mask=failed) for name, value in judged.items()}


def _named(pattern: str, numbers: np.ndarray) -> Any:
    """One name per number, made once each."""
    names = np.array([pattern.format(number) for number in range(int(numbers.max(initial=0)) + 1)])
    return names[numbers]


def _generated_run(columns: Columns, place: int) -> GeneratedRun:
    values = {name: column[place] for name, column in columns.items()}
    return GeneratedRun(
        framework=str(values["framework"]),
        arm=str(values["arm"]),
        task=TASK,
        item=str(values["item"]),
        iteration=int(values["iteration"]),
        position=place,
        started_at=str(values["started_at"]),
        error=str(values["error"]),
        prompt_tokens=int(values["prompt_tokens"]),
        completion_tokens=int(values["completion_tokens"]),
        framework_s=float(values["framework_s"]),
        scores={} if values["error"] else {name: values[name].as_py() for name in CRITERIA},
    )


def _digests(columns: Columns, made: list[GeneratedRun]) -> list[str]:
    """Of the reports that are written; of a number where no report is."""
    rest = range(len(made), len(columns["position"]))
    known = [digest_of(report_text(run)) if not run.error else "" for run in made]
    return known + [hashlib.sha256(b"%d" % place).hexdigest() for place in rest]


def _manifest(shape: Shape, iterations: int) -> Manifest:
    names = [f"f{number:02}" for number in range(1, shape.frameworks + 1)]
    items = [f"item-{number:03}" for number in range(1, shape.items + 1)]
    plan = Plan(
        name="generated",
        frameworks=names,
        arms=list(ARMS[: shape.arms]),
        tasks=[TaskPlan(name=TASK, items=items)],
        iterations=iterations,
    )
    return Manifest(
        experiment="generated",
        created_at="2026-01-02T03:04:05+00:00",
        levelfield="0",
        plan=plan,
        settings={"llm_model": "scripted:model", "judge_model": JUDGE},
        identity={"code": "generated"},
        frameworks={
            name: FrameworkEntry(title=f"Framework {name[1:]}", versions={name: "1.0"}) for name in names
        },
        server={"name": "scripted"},
        hardware={"processors": 2},
    )
