"""A plan on waiting nodes, or a simulated one, in a process of its own that says at its end what it took.

`python -m benchmarks.driver_child plan FOLDER RUNS NODES RUN_S PROCESS_S` and
`python -m benchmarks.driver_child simulation RUNS NODES`
"""

from __future__ import annotations

import io
import json
import resource
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import ray
from rich.console import Console

from benchmarks.report_child import peak_mb
from benchmarks.simulation import Simulation, plan_of
from benchmarks.waiting_node import WaitingNode
from cluster.attempts import Attempts
from cluster.dispatch import dispatch
from cluster.experiment import describe_experiment
from cluster.inference_node import NodeInfo
from cluster.interrupts import Interrupts
from cluster.nodes import Node, Nodes
from cluster.progress import RunProgress
from cluster.schedule import Schedule, remaining
from cluster.servers import ServerIdentity, ServerOptions
from cluster.session import NodePlace, ray_session
from cluster.spans.sink import SpanSink
from cluster.workspace import Workspace
from shared.manifest import Manifest
from shared.plan import Plan, TaskPlan, ordered_runs
from shared.settings import BenchmarkSettings
from shared.store import Store

FRAMEWORKS = ["direct", "scripted"]
ARMS = ["idiomatic", "equalised"]
MODEL = "scripted:instant"


def main() -> None:
    what, *rest = sys.argv[1:]
    if what == "simulation":
        took = _simulated(int(rest[0]), int(rest[1]))
    else:
        folder, runs, nodes, run_s, process_s = rest
        took = _carried_out(Path(folder), int(runs), int(nodes), float(run_s), float(process_s))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps(took | {"processor_s": used.ru_utime + used.ru_stime, "peak_mb": peak_mb()}))


def _simulated(runs: int, nodes: int) -> dict[str, Any]:
    began = time.monotonic()
    found = Simulation(plan_of(runs), nodes).run()
    return vars(found) | {"utilisation": found.utilisation, "wall_s": time.monotonic() - began}


def _carried_out(folder: Path, runs: int, nodes: int, run_s: float, process_s: float) -> dict[str, Any]:
    work = _workspace(folder, runs)
    schedule = Schedule(remaining(ordered_runs(work.experiment.plan)))
    with ray_session(None):
        found = Nodes(MODEL, ServerOptions(folder), work.progress, list)
        found.running += [_waiting(f"node-{number}", run_s, process_s) for number in range(nodes)]
        ray.get([node.actor.activity.remote() for node in found.running])
        before = resource.getrusage(resource.RUSAGE_SELF)
        began = time.monotonic()
        with SpanSink(work.store, content=False, warn=work.progress.warn) as spans:
            dispatch(work, found, schedule, Attempts(work, spans, None))
        wall_s = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_SELF)
        measured = ray.get([node.actor.measured.remote() for node in found.running])
    driver_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _taken(measured) | {"wall_s": wall_s, "driver_s": driver_s}


def _taken(measured: list[list[tuple[float, float]]]) -> dict[str, Any]:
    """Of each node's runs, in order."""
    ends = [end for node in measured for _, end in node]
    first_s = min(start for node in measured for start, _ in node)
    span_s = max(ends) - first_s
    gaps = [later[0] - earlier[1] for node in measured for earlier, later in pairwise(node)]
    return {
        "runs": len(ends),
        "span_s": span_s,
        "utilisation": sum(end - start for node in measured for start, end in node) / len(measured) / span_s,
        "gap_ms": {"median": 1000 * float(np.median(gaps)), "mean": 1000 * float(np.mean(gaps))},
    }


def _workspace(folder: Path, runs: int) -> Workspace:
    items = ["anthropic", "stripe"]
    iterations = -(-runs // (len(FRAMEWORKS) * len(ARMS) * len(items)))
    plan = Plan.model_validate(
        {
            "name": "driver",
            "frameworks": FRAMEWORKS,
            "arms": ARMS,
            "tasks": [TaskPlan(name="company_research", items=items)],
            "iterations": iterations,
            "probes": False,
        }
    )
    experiment = describe_experiment(plan, BenchmarkSettings(llm_model=MODEL))
    progress = RunProgress(Console(file=io.StringIO()))
    folder.mkdir()
    store = Store(folder)
    store.begin(
        Manifest(
            experiment="driver", created_at="", levelfield="", plan=plan, settings=experiment.settings.public,
            identity=experiment.identity, frameworks={}, server={}, hardware={},
        )
    )  # fmt: skip
    return Workspace(experiment, store, progress, Interrupts(progress.say))


def _waiting(name: str, run_s: float, process_s: float) -> Node:
    actor = ray.remote(WaitingNode).options(num_cpus=0, max_concurrency=4).remote(name, run_s, process_s)
    identity = ServerIdentity(MODEL, MODEL, None, "waiting", None, None, {})
    return Node(NodePlace(name, name, {}), actor, NodeInfo(name, identity, {}))


if __name__ == "__main__":
    main()
