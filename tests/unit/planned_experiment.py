"""An experiment's folder with the manifest that the real plan gets, and finished runs without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cluster.experiment import Experiment, briefs, describe_experiment
from shared.manifest import FrameworkEntry, Manifest
from shared.plan import Plan, ordered_runs
from shared.records import RunKey
from shared.settings import BenchmarkSettings
from shared.store import Store
from tests.unit.stored_records import run

TASK = "company_research"
SERVER = {"server": "scripted", "digest": "d1"}


def plan(*items: str, **fields: Any) -> Plan:
    values: dict[str, Any] = {"name": "p", "frameworks": ["direct", "scripted"], "iterations": 1}
    return Plan(**values | {"tasks": [{"name": TASK, "items": list(items)}]} | fields)


def described(planned: Plan) -> Experiment:
    return describe_experiment(planned, BenchmarkSettings(llm_model="scripted:instant", judge_model=None))


def manifest_of(experiment: Experiment, **fields: Any) -> Manifest:
    values: dict[str, Any] = {
        "experiment": "e",
        "created_at": "2026-01-02T03:04:05Z",
        "levelfield": "0",
        "plan": experiment.plan,
        "settings": experiment.settings.public,
        "identity": experiment.identity,
        "frameworks": {
            name: FrameworkEntry(title=name.title(), versions={}) for name in experiment.plan.frameworks
        },
        "server": SERVER,
        "hardware": {},
    }
    return Manifest(**values | fields)


def measured(folder: Path, planned: Plan, node: str = "left", **fields: Any) -> Store:
    """Every run completed on `node`; `fields` of the manifest."""
    experiment = described(planned)
    store = Store(folder)
    folder.mkdir(parents=True)
    store.begin(manifest_of(experiment, **fields))
    for brief in briefs(experiment, "m"):
        store.write_brief(brief)
    for position, key in enumerate(key for block in ordered_runs(planned) for key in block):
        write(store, key, node, position)
    return store


def write(store: Store, key: RunKey, node: str, position: int = 0, **fields: Any) -> None:
    values = {"node": node, "position": position, "text": f"{key.run_id} on {node}"}
    record = run(
        key.framework,
        key=key,
        attempt_id=f"{key.framework}{key.item}{key.iteration}{node}",
        **values | fields,
    )
    store.write_run(record, [])
