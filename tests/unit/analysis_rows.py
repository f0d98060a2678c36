"""Rows of a runs.csv for the tests of the analysis: a clean experiment, to be spoilt in one way at a time."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

from analysis.analyse import analyse
from analysis.read_runs import read_runs
from analysis.result import CRITERIA, Alarm, Analysis

PUBLISHED = Path(__file__).parents[1] / "data" / "published_45_runs"
FRAMEWORKS = ("autogen", "crewai", "direct", "langgraph")
ITEMS = ("Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta")


def clean_rows(
    frameworks: tuple[str, ...] = FRAMEWORKS, items: tuple[str, ...] = ITEMS, iterations: int = 2
) -> list[dict[str, Any]]:
    """Scores across the scale, every report different, one decode rate, order shuffled."""
    noise = random.Random(7)  # noqa: S311 - seeded on purpose
    keys = [(f, item, it) for f in frameworks for item in items for it in range(1, iterations + 1)]
    positions = list(range(len(keys)))
    noise.shuffle(positions)
    return [
        _row(framework, item, iteration, position, noise)
        for (framework, item, iteration), position in zip(keys, positions, strict=True)
    ]


def _row(framework: str, item: str, iteration: int, position: int, noise: random.Random) -> dict[str, Any]:
    scores = [noise.randint(3, 8) for _ in CRITERIA]
    completion = noise.randint(400, 600)
    model_s = completion / 20
    return {
        "framework": framework, "arm": "idiomatic", "task": "company_research", "item": item,
        "iteration": iteration, "attempt": 1, "status": "completed", "latency_s": model_s + 0.5,
        "prompt_tokens": 2000, "completion_tokens": completion, "total_tokens": 2000 + completion,
        **dict(zip(CRITERIA, scores, strict=True)), "overall": sum(scores) / len(scores),
        "section_share": 0.5, "words": 600, "words_in_range": True, "fact_recall": 0.25, "model_s": model_s,
        "tool_s": 0.1, "framework_s": 0.4, "model_calls": 3, "tool_calls": 6, "native_prompt_tokens": 2000,
        "native_completion_tokens": completion, "limits_hit": "", "node": "local", "position": position,
        "report_digest": f"{framework}-{item}-{iteration}", "error": "",
        "queue_s": 0.0, "prefill_s": completion / 100, "decode_s": completion / 25, "model_unsplit_s": 0.0,
        "gateway_s": 0.0, "cached_tokens": 0, "retried_calls": 0, "retried_tokens": 0,
        "server_prompt_tokens": 2000, "server_completion_tokens": completion, "busy_share": 0.5,
        "other_share": 0.02, "steal_share": 0.0, "cpu_pressure": 0.1, "energy_j": "", "quarantine": "",
        "stray_calls": 0, "boot_s": 1.0, "import_s": 2.0,
    }  # fmt: skip


def write_rows(folder: Path, rows: list[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "runs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def analyse_rows(folder: Path, rows: list[dict[str, Any]]) -> Analysis:
    return analyse(read_runs(write_rows(folder, rows)))


def other_alarms(analysis: Analysis) -> list[Alarm]:
    """Without the one that scores have until their judge is audited."""
    return [alarm for alarm in analysis.alarms if alarm.code != "judge_not_audited"]
