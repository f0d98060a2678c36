"""Which columns the exported tables have, and of which kind: the same in CSV and in Parquet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from cluster.runs_csv import COLUMNS, CRITERIA

Kind = Literal["text", "whole", "number", "flag", "moment", "texts", "numbers", "json"]
"""moment: UTC. texts, numbers: a list; in CSV as JSON, like json, which is a text in Parquet as well."""
Columns = dict[str, Kind]
"""Name -> kind, in the order of the table."""

KEY: Columns = {
    "run_id": "text",
    "attempt_id": "text",
    "framework": "text",
    "arm": "text",
    "task": "text",
    "item": "text",
    "iteration": "whole",
    "attempt": "whole",
}
"""Begins every table, so that each can be joined with each, and grouped alone."""

_WHOLE = {
    *("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "words"),
    *("unsupported_sentences", "model_calls", "tool_calls", "native_prompt_tokens", "position"),
    *("native_completion_tokens", "retried_calls", "retried_tokens", "server_prompt_tokens"),
    *("server_completion_tokens", "stray_calls"),
}
_TEXT = {
    *("status", "judge", "verdict_of", "language", "limits_hit", "node", "report_digest", "error"),
    "quarantine",
}
_OTHER: Columns = {
    "passed": "flag",
    "words_in_range": "flag",
    "in_asked_language": "flag",
    "started_at": "moment",
}


def runs_columns(criteria: Iterable[str]) -> Columns:
    """Those of runs.csv, with the report and what else the record has."""
    joined = {name: _kind(name) for name in (*COLUMNS, *criteria) if name not in KEY}
    return {
        **KEY,
        **joined,
        "trace_id": "text",
        "replay_of": "text",
        "agent_outputs": "json",
        "framework_log": "texts",
        "text": "text",
    }


def calls_columns(*, bodies: bool) -> Columns:
    columns: Columns = {
        **KEY,
        "sequence": "whole",
        "kind": "text",
        "path": "text",
        "agent": "text",
        "client": "text",
        **dict.fromkeys(
            ("arrived_s", "forwarded_s", "first_byte_s", "first_token_s", "last_byte_s", "delivered_s"),
            "number",
        ),
        "rate_limited": "whole",
        "rate_limited_s": "number",
        "chunks_s": "numbers",
        **dict.fromkeys(("server_queue_s", "server_prefill_s", "server_decode_s"), "number"),
        "status": "whole",
        "streamed": "flag",
        "retry_of": "whole",
        **dict.fromkeys(("prompt_tokens", "completion_tokens", "cached_tokens"), "whole"),
        "finish_reason": "text",
        "error": "text",
        "span_id": "text",
    }
    return columns | ({"request": "json", "response": "json"} if bodies else {})


def verdicts_columns(criteria: Iterable[str]) -> Columns:
    return {
        **KEY,
        "judge": "text",
        "rubric": "text",
        "repeat": "whole",
        "seed": "whole",
        "criteria_order": "texts",
        "evidence_start": "whole",
        "same_text_as": "text",
        "scored": "flag",
        "weighed": "flag",
        **dict.fromkeys((*CRITERIA, *criteria), "number"),
        "overall": "number",
        "judge_overall": "number",
        "reasoning": "text",
        "answers": "whole",
        "seconds": "number",
        "prompt_tokens": "whole",
        "completion_tokens": "whole",
    }


CHECKS: Columns = {
    **KEY,
    "checks": "text",
    "sections_found": "texts",
    "sections_missing": "texts",
    "section_share": "number",
    "words": "whole",
    "words_in_range": "flag",
    "facts_found": "texts",
    "facts_total": "whole",
    "fact_recall": "number",
    "sentences": "whole",
    "unsupported_sentences": "whole",
    "unsupported": "json",
    "repetition": "number",
    "language": "text",
    "in_asked_language": "flag",
    "passed": "flag",
    "figures": "json",
    "notes": "texts",
}


def _kind(name: str) -> Kind:
    if name in _OTHER:
        return _OTHER[name]
    return "text" if name in _TEXT else "whole" if name in _WHOLE else "number"
