"""The calls that rates are measured on: a bounded sample of the journals of runs whose times count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from analysis.read_runs import Runs
from shared.calls import Call
from shared.errors import LevelfieldError
from shared.latency import take_call_apart
from shared.records import RunRecord, Status

MOST_RUNS = 300
COLUMNS = ("fresh", "output", "queue_s", "prefill_s", "decode_s", "model_s")


@dataclass(frozen=True)
class CallSample:
    table: pd.DataFrame
    """A row per answered model call: COLUMNS, tokens and seconds."""
    overlap: dict[str, float]
    """By subject: time at the model over the sum of its calls' times, over the sampled runs."""


def sample_calls(runs: Runs, most_runs: int = MOST_RUNS) -> CallSample:
    """Runs of each framework and item in turn, until there are `most_runs`. Empty without records."""
    rows: list[tuple[float, ...]] = []
    union: dict[str, float] = {}
    total: dict[str, float] = {}
    for place, record in enumerate(_in_turn(runs)):
        if place == most_runs:
            break
        calls = _model_calls(runs, record)
        rows += [_row(call) for call in calls if _told(call)]
        if record.parts:
            subject = runs.naming.subject(record.key.framework, record.key.arm)
            union[subject] = union.get(subject, 0.0) + record.parts.at_model_s
            total[subject] = total.get(subject, 0.0) + sum(take_call_apart(c).at_model_s for c in calls)
    overlap = {name: min(1.0, union[name] / total[name]) for name in union if total[name] > 0}
    return CallSample(pd.DataFrame(rows, columns=list(COLUMNS), dtype=float), overlap)


def _in_turn(runs: Runs) -> Iterator[RunRecord]:
    """Every cell's first run, then every cell's second, so that a bound favours no framework."""
    quarantined = {entry.quarantine.attempt_id for entry in runs.stored.quarantined}
    seen: dict[tuple[str, str, str, str], int] = {}
    ranked = []
    for record in runs.stored.runs:
        if record.status != Status.COMPLETED or record.attempt_id in quarantined:
            continue
        key = record.key
        cell = (key.framework, key.arm, key.task, key.item)
        seen[cell] = seen.get(cell, 0) + 1
        ranked.append((seen[cell], record))
    return (record for _, record in sorted(ranked, key=lambda entry: entry[0]))


def _model_calls(runs: Runs, record: RunRecord) -> list[Call]:
    if runs.stored.store is None:
        return []
    try:
        calls = runs.stored.store.calls(record, bodies=False)
    except LevelfieldError:  # a damaged journal costs its run's calls, not the report
        return []
    return [call for call in calls if call.kind == "model"]


def _told(call: Call) -> bool:
    return not call.failed and call.prompt_tokens is not None and call.completion_tokens is not None


def _row(call: Call) -> tuple[float, ...]:
    parts = take_call_apart(call)
    fresh = (call.prompt_tokens or 0) - (call.cached_tokens or 0)
    output = call.completion_tokens or 0
    return (max(0, fresh), output, parts.queue_s, parts.prefill_s, parts.decode_s, parts.model_s)
