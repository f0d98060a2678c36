"""Mean latency taken apart, by stage and by agent."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from analysis.read_runs import Runs
from analysis.wire_result import Parts
from shared.latency import LatencyParts
from shared.records import RunRecord, Status

COLUMNS = {
    "queue_s": "queue_s",
    "prefill_s": "prefill_s",
    "decode_s": "decode_s",
    "model_s": "model_unsplit_s",
    "tool_s": "tool_s",
    "gateway_s": "gateway_s",
    "framework_s": "framework_s",
}
"""Stage -> its column of runs.csv, where `model_s` is all time at the model."""


def mean_parts(done: pd.DataFrame) -> Parts | None:
    """Over the runs with a latency; None unless all of them are taken apart: the parts must add up."""
    timed = done[done["latency_s"].notna()]
    stages = timed[list(COLUMNS.values())]
    if timed.empty or stages.isna().to_numpy().any():
        return None
    return Parts(**{stage: float(stages[column].mean()) for stage, column in COLUMNS.items()})


def mean_agent_parts(runs: Runs) -> dict[str, dict[str, Parts]]:
    """By subject and agent; an agent that a run lacks counts as no time, so that they add up to the mean."""
    left_out = {entry.quarantine.attempt_id for entry in runs.stored.quarantined}
    by_subject: dict[str, list[RunRecord]] = {}
    for record in runs.stored.runs:
        if record.status == Status.COMPLETED and record.parts and record.attempt_id not in left_out:
            subject = runs.naming.subject(record.key.framework, record.key.arm)
            by_subject.setdefault(subject, []).append(record)
    return {subject: _means(records) for subject, records in by_subject.items()}


def _means(records: list[RunRecord]) -> dict[str, Parts]:
    agents = dict.fromkeys(agent for record in records for agent in record.agent_parts)
    found = {agent: [r.agent_parts[agent] for r in records if agent in r.agent_parts] for agent in agents}
    return {agent: _mean(parts, len(records)) for agent, parts in found.items()}


def _mean(parts: Iterable[LatencyParts], n: int) -> Parts:
    totals = dict.fromkeys(COLUMNS, 0.0)
    for part in parts:
        for stage in totals:
            totals[stage] += getattr(part, stage)
    return Parts(**{stage: total / n for stage, total in totals.items()})
