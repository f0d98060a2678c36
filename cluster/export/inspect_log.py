"""One framework in one arm on one task as the head of an Inspect log: all of it but the samples.

Format: version 2 of `EvalLog` (inspect_ai/log/_log.py of inspect-ai 0.3.285). Inspect reads the head alone
for its lists, so `samples` has to come last.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cluster.export.inspect_messages import Json
from shared.manifest import Manifest
from shared.plan import framework_of

LOG_VERSION = 2
CHECKS = "checks"
"""Name of the scorer that needs no model."""


@dataclass(frozen=True, order=True)
class Subject:
    """What one log is of."""

    task: str
    framework: str
    arm: str

    @property
    def name(self) -> str:
        return f"{self.framework} [{self.arm}]"


@dataclass
class Tally:
    """What a log's head says of its samples, gathered while they pass."""

    samples: int = 0
    completed: int = 0
    ids: set[str] = field(default_factory=set)
    epochs: int = 0
    values: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    """Scorer and name of the value -> the value in each sample that has it."""
    usage: dict[str, int] = field(default_factory=dict)
    started_at: str = ""
    completed_at: str = ""

    def add(self, sample: Json) -> None:
        self.samples += 1
        self.completed += "error" not in sample and "limit" not in sample
        self.ids.add(sample["id"])
        self.epochs = max(self.epochs, sample["epoch"])
        for scorer, score in sample["scores"].items():
            for name, value in score["value"].items():
                if math.isfinite(value):
                    self.values.setdefault((scorer, name), []).append(float(value))
        for used in sample["model_usage"].values():
            for name, count in used.items():
                self.usage[name] = self.usage.get(name, 0) + count
        first = str(sample["started_at"])
        last = str(sample.get("completed_at", first))
        self.started_at = min(first, self.started_at or first)
        self.completed_at = max(last, self.completed_at)


def file_name(subject: Subject, manifest: Manifest) -> str:
    """As Inspect names its own: time, task and id, with nothing else between two underscores."""
    made = _created(manifest).replace(":", "-")
    words = f"{subject.task}-{subject.framework}-{subject.arm}".replace("_", "-")
    return f"{made}_{words}_{_id(manifest, subject)}.json"


def log_head(subject: Subject, manifest: Manifest, tally: Tally) -> Json:
    planned = sum(len(task.items) for task in manifest.plan.tasks if task.name == subject.task)
    whole = tally.samples >= planned * manifest.plan.iterations
    return {
        "version": LOG_VERSION,
        "status": "success" if whole else "cancelled",
        "eval": _spec(subject, manifest, tally),
        "plan": {
            "name": subject.name,
            "steps": [{"solver": subject.framework, "params": {"arm": subject.arm}}],
        },
        "results": _results(tally),
        "stats": {
            "started_at": tally.started_at,
            "completed_at": tally.completed_at,
            "model_usage": {_model(manifest): tally.usage} if tally.usage else {},
        },
    }


def _spec(subject: Subject, manifest: Manifest, tally: Tally) -> Json:
    plan, entry = manifest.plan, manifest.frameworks.get(framework_of(subject.framework))
    title = entry.title if entry else subject.framework
    number = _id(manifest, subject)
    return {
        "eval_id": number,
        "run_id": _id(manifest, None),
        "created": _created(manifest),
        "task": f"{subject.task} · {subject.name}",
        "task_id": number,
        "task_display_name": f"{title} [{subject.arm}]: {subject.task}",
        "task_args": {"framework": subject.framework, "arm": subject.arm},
        "solver": subject.framework,
        "solver_args": {"arm": subject.arm},
        "tags": sorted({"levelfield", subject.framework, subject.arm}),
        "dataset": {
            "name": subject.task,
            "samples": len(tally.ids),
            "sample_ids": sorted(tally.ids),
            "shuffled": True,
        },
        "model": _model(manifest),
        "model_generate_config": {"temperature": plan.temperature, "seed": plan.seed},
        "config": {
            "epochs": max(tally.epochs, 1),
            "fail_on_error": False,
            "time_limit": math.ceil(plan.limits.run_timeout_s),
        },
        "packages": {"levelfield": manifest.levelfield, **(entry.versions if entry else {})},
        "metadata": {
            "experiment": manifest.experiment,
            "framework": subject.framework,
            "arm": subject.arm,
            "plan": plan.measured,
            "settings": manifest.settings,
            "server": manifest.server,
            "hardware": manifest.hardware,
            "notes": manifest.notes,
        },
        "scorers": [{"name": scorer} for scorer in sorted({scorer for scorer, _ in tally.values})],
    }


def _results(tally: Tally) -> Json:
    return {
        "total_samples": tally.samples,
        "completed_samples": tally.completed,
        "scores": [
            {
                "name": name,
                "scorer": scorer,
                "scored_samples": len(values),
                "unscored_samples": tally.samples - len(values),
                "metrics": dict(_metrics(values)),
            }
            for (scorer, name), values in sorted(tally.values.items(), key=_place)
        ],
    }


def _place(found: tuple[tuple[str, str], list[float]]) -> tuple[bool, str, bool, str]:
    """Judges before checks and the overall score first: Inspect takes the first of all for its headline."""
    scorer, name = found[0]
    return scorer == CHECKS, scorer, name != "overall", name


def _metrics(values: list[float]) -> Iterable[tuple[str, Json]]:
    """Over samples, not over items: what the report's tables call the mean."""
    yield "mean", {"name": "mean", "value": statistics.fmean(values)}
    if len(values) > 1:
        yield "std", {"name": "std", "value": statistics.stdev(values)}


def _model(manifest: Manifest) -> str:
    return str(manifest.settings.get("llm_model", ""))


def _created(manifest: Manifest) -> str:
    try:
        made = datetime.fromisoformat(manifest.created_at)
    except ValueError:
        made = datetime.fromtimestamp(0, UTC)
    return (made if made.tzinfo else made.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="seconds")


def _id(manifest: Manifest, subject: Subject | None) -> str:
    """The same at every export of the same experiment."""
    parts: tuple[Any, ...] = (manifest.experiment, manifest.created_at, subject)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:22]
