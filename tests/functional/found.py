"""What an experiment found, for holding a disturbed one against an undisturbed one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shared.store import Store


def results_of(out: Path) -> dict[str, Any]:
    """All that an experiment found, without times, ids, nodes and the number of attempts."""
    store = Store(out)
    runs = {}
    for record in store.runs():
        wire = [(call.request, call.response, call.status, call.agent) for call in store.calls(record)]
        kept = {
            "key",
            "status",
            "position",
            "text",
            "agent_outputs",
            "limits_hit",
            "model_calls",
            "tool_calls",
        }
        counted = {"prompt_tokens", "completion_tokens", "native_prompt_tokens", "native_completion_tokens"}
        runs[record.key.run_id] = (record.model_dump(include=kept | counted), wire)
    verdicts = sorted((each.run_id, each.overall, each.scored) for each in store.verdicts())
    checks = sorted((each.run_id, each.words, tuple(each.facts_found)) for each in store.checks())
    return {"runs": runs, "verdicts": verdicts, "checks": checks}
