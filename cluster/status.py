"""How far an experiment is, read from its folder while it runs or afterwards."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from rich.table import Table

from cluster.experiment import total_runs
from shared.judgement_store import Judgements
from shared.judgements import Comparison
from shared.records import Status, Verdict
from shared.store import Store


def read_status(folder: Path) -> dict[str, Any]:
    """Counts per framework and status. Statuses that a resume repeats count as left.

    Raises:
        ResultsMismatch: `folder` is no experiment, or of a newer Levelfield.
    """
    store = Store.existing(folder)
    manifest = store.manifest()
    plan = manifest.plan
    per_framework = total_runs(plan) // len(plan.subjects)
    runs = store.runs()
    frameworks = {}
    for name in plan.subjects:
        statuses = Counter(str(record.status) for record in runs if record.key.framework == name)
        done = sum(record.status.is_final for record in runs if record.key.framework == name)
        frameworks[name] = {"planned": per_framework, "done": done, "statuses": dict(statuses)}
    verdicts = store.verdicts()
    return {
        "experiment": manifest.experiment,
        "created_at": manifest.created_at,
        "llm_model": manifest.settings["llm_model"],
        "planned": total_runs(plan),
        "done": sum(entry["done"] for entry in frameworks.values()),
        "completed": sum(record.status is Status.COMPLETED for record in runs),
        "verdicts": sum(verdict.scored for verdict in verdicts),
        "verdicts_failed": sum(not verdict.scored for verdict in verdicts),
        "judges": _judges(verdicts, Judgements(folder).comparisons()),
        "frameworks": frameworks,
    }


def _judges(verdicts: list[Verdict], comparisons: list[Comparison]) -> dict[str, dict[str, int]]:
    """By judge; copies for identical texts are in no count, since nobody was asked."""
    asked = [verdict for verdict in verdicts if verdict.same_text_as is None]
    names = sorted({verdict.judge for verdict in asked} | {found.judge for found in comparisons})
    return {
        name: {
            "verdicts": sum(verdict.judge == name and verdict.scored for verdict in asked),
            "verdicts_failed": sum(verdict.judge == name and not verdict.scored for verdict in asked),
            "comparisons": sum(found.judge == name and found.winner is not None for found in comparisons),
            "comparisons_failed": sum(found.judge == name and found.winner is None for found in comparisons),
        }
        for name in names
    }


def status_table(found: dict[str, Any]) -> Table:
    table = Table(
        "Framework", "Done", "Planned", "Statuses", box=None, pad_edge=False, title_justify="left",
        title=f"{found['experiment']}: {found['done']} of {found['planned']} runs, "
        f"{found['verdicts']} verdicts ({found['verdicts_failed']} failed)",
    )  # fmt: skip
    for name, entry in found["frameworks"].items():
        statuses = ", ".join(f"{count} {status}" for status, count in sorted(entry["statuses"].items()))
        table.add_row(name, str(entry["done"]), str(entry["planned"]), statuses)
    return table
