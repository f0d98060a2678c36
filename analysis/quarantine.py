"""Attempts whose figures are not used, with the reasons."""

from __future__ import annotations

from analysis.read_runs import Runs
from analysis.wire_result import QuarantinedRun


def list_quarantined(runs: Runs) -> list[QuarantinedRun]:
    """From the records; disturbed warm-ups are left out. A table alone says only which of its rows."""
    if runs.stored.known:
        return [
            QuarantinedRun(
                framework=runs.naming.subject(entry.key.framework, entry.key.arm),
                item=entry.key.item,
                iteration=entry.key.iteration,
                attempt=entry.quarantine.attempt,
                code=entry.quarantine.code,
                reasons=entry.quarantine.reasons,
                kept=entry.kept,
            )
            for entry in runs.stored.quarantined
            if entry.key.iteration > 0 or entry.quarantine.code == "late_calls"
        ]
    rows = runs.table[runs.table["quarantine"].isin(["disturbed", "late_calls"])]
    return [
        QuarantinedRun(
            framework=row["subject"],
            item=row["item"],
            iteration=int(row["iteration"]),
            attempt=1 if row["attempt"] != row["attempt"] else int(row["attempt"]),
            code=row["quarantine"],
            reasons=[],
            kept=True,
        )
        for _, row in rows.iterrows()
    ]
