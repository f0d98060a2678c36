"""runs.csv: a row per run, derived from the records and disposable."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cluster.foreign_text import cell, first_line
from shared.judge_panel import split_judges
from shared.mean_verdict import MeanVerdict, mean_verdicts
from shared.records import CheckResult, RunRecord
from shared.store import Store

CRITERIA = ("completeness", "accuracy", "structure", "insight", "readability")
"""Always columns, so that a folder without verdicts has the same shape; a task's others are added."""


def write_runs_csv(store: Store, judge: str | None = None) -> None:
    """Join runs, verdicts and checks.

    Args:
        store: Whose runs.csv is written.
        judge: Whose scores, the mean over its repeats; None: the first judge of the experiment's plan.
    """
    verdicts = mean_verdicts(store.each_verdict(), judge or main_judge(store))
    rows = [row for _, row in joined_rows(store, store.runs(), verdicts)]
    extra = sorted({name for row in rows for name in row} - set(COLUMNS))
    text = io.StringIO()
    writer = csv.DictWriter(text, [*COLUMNS, *extra], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    store.write_derived("runs.csv", text.getvalue())


def main_judge(store: Store) -> str:
    """The first that the experiment's plan names, else the model under test."""
    settings = store.manifest().settings
    return str([*split_judges(settings.get("judge_model")), settings["llm_model"]][0])


def joined_rows(
    store: Store, records: Iterable[RunRecord], verdicts: Mapping[str, MeanVerdict]
) -> Iterator[tuple[RunRecord, dict[str, Any]]]:
    """Each run with its row; `verdicts` are by attempt id."""
    checks = {check.attempt_id: check for check in store.each_check()}
    quarantines = store.quarantines()
    for record in records:
        row = _row(record, verdicts.get(record.attempt_id), checks.get(record.attempt_id))
        found = quarantines.get(record.attempt_id)
        yield record, row | {"quarantine": found.code if found else ""}


COLUMNS = (
    *("framework", "arm", "task", "item", "iteration", "attempt", "status"),
    *("latency_s", "prompt_tokens", "completion_tokens", "total_tokens"),
    *CRITERIA,
    *("overall", "judge_overall", "judge", "verdict_of"),
    "passed",
    *("section_share", "words", "words_in_range", "fact_recall"),
    *("unsupported_sentences", "repetition", "language", "in_asked_language"),
    *("model_s", "tool_s", "framework_s", "model_calls", "tool_calls"),
    *("native_prompt_tokens", "native_completion_tokens", "limits_hit", "boot_s", "import_s"),
    *("node", "position", "started_at", "report_digest", "error"),
    *("queue_s", "prefill_s", "decode_s", "model_unsplit_s", "gateway_s"),
    *("cached_tokens", "retried_calls", "retried_tokens", "server_prompt_tokens"),
    *("server_completion_tokens", "busy_share", "other_share", "steal_share", "cpu_pressure", "energy_j"),
    *("quarantine", "stray_calls", "slowest_call_tokens_per_s", "fastest_call_tokens_per_s"),
    "rate_limited_s",
)
TOLD_APART = 2
"""Schema from which a 0 of these means none: before, nobody looked."""
TEXT_CHECKS = {"unsupported_sentences", "repetition", "language", "in_asked_language"}
MACHINE = ("busy_share", "other_share", "steal_share", "cpu_pressure", "energy_j")


def _row(record: RunRecord, verdict: MeanVerdict | None, check: CheckResult | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        **record.key.model_dump(),
        **record.model_dump(
            include={
                *("attempt", "status", "latency_s", "prompt_tokens", "completion_tokens", "total_tokens"),
                *("model_calls", "tool_calls", "node", "position", "started_at"),
                *("native_prompt_tokens", "native_completion_tokens", "cached_tokens"),
                *("server_prompt_tokens", "server_completion_tokens"),
                *("slowest_call_tokens_per_s", "fastest_call_tokens_per_s", "rate_limited_s"),
            },
            mode="json",
        ),
        "total_tokens": record.total_tokens,
        **_times(record),
        "limits_hit": "; ".join(record.limits_hit),
        "report_digest": hashlib.sha256(record.text.encode()).hexdigest() if record.text else "",
        "error": cell(first_line(record.error)),
    }
    if record.boot:
        row |= {"boot_s": record.boot.process_s, "import_s": record.boot.import_s}
    if record.schema_version >= TOLD_APART:
        row |= record.model_dump(include={"retried_calls", "retried_tokens", "stray_calls"})
    if record.machine:
        row |= {name: getattr(record.machine, name) for name in MACHINE}
    if verdict:
        row |= {
            "overall": verdict.overall,
            "judge_overall": verdict.judge_overall,
            "judge": verdict.judge,
            "verdict_of": verdict.same_text_as or "",
        }
        row |= {name: _whole(score) for name, score in verdict.scores.items()}
    if check:
        row |= {
            "passed": check.passed,
            "section_share": check.section_share,
            "words": check.words,
            "words_in_range": check.words_in_range,
            "fact_recall": check.fact_recall,
            **check.model_dump(include=TEXT_CHECKS),
        }
    return row


def _whole(score: float) -> float:
    """A score that is a whole number is written as one."""
    return int(score) if score.is_integer() else score


def _times(record: RunRecord) -> dict[str, float | None]:
    """model_s, tool_s, gateway_s and framework_s add up to the latency.

    Where the latency is not taken apart, our own time is inside model_s and tool_s.
    """
    parts = record.parts
    if parts is None:
        rest = None if record.latency_s is None else record.latency_s - record.model_s - record.tool_s
        return {"model_s": record.model_s, "tool_s": record.tool_s, "framework_s": rest}
    return {
        "model_s": parts.at_model_s,
        "tool_s": parts.tool_s,
        "framework_s": parts.framework_s,
        "gateway_s": parts.gateway_s,
        "queue_s": parts.queue_s,
        "prefill_s": parts.prefill_s,
        "decode_s": parts.decode_s,
        "model_unsplit_s": parts.model_s,
    }
