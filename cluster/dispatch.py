"""Carry out a schedule: keep every free node busy with one run, and hand each record over as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ray
from ray.exceptions import RayError

from cluster.experiment import Experiment
from cluster.inference_node import MeasuredRun
from cluster.nodes import POLL_S, Node, activity
from cluster.run_job import RunJob
from cluster.schedule import Assignment, Schedule
from cluster.workspace import Workspace
from shared.errors import NodeFailed, ServerUnavailable
from shared.records import Status

JobOf = Callable[[Experiment, Assignment], RunJob]

GIVE_UP_AFTER = 3
"""Model errors in a row, in a whole session: then the server is down, and more runs would say nothing."""


def dispatch(work: Workspace, nodes: Sequence[Node], schedule: Schedule, job_of: JobOf) -> None:
    """Until nothing is left, or the user stops it; then the runs in flight are still finished.

    Raises:
        ServerUnavailable: The model server failed several runs in a row.
        NodeFailed: No node is left.
    """
    free = {node.name: node for node in nodes}
    in_flight: dict[Any, tuple[Node, Assignment]] = {}
    model_errors = 0
    while True:
        if not work.interrupts.stopping:
            for node, assignment in _take(free, schedule):
                in_flight[node.actor.measure.remote(job_of(work.experiment, assignment))] = (node, assignment)
        if not in_flight:
            if schedule.left and not work.interrupts.stopping:
                raise NodeFailed("All inference nodes are gone. Run the same command again to go on.")
            return
        ready, _ = ray.wait(list(in_flight), timeout=POLL_S)
        work.progress.doing(_activities(node for node, _ in in_flight.values()))
        for ref in ready:
            node, assignment = in_flight.pop(ref)
            try:
                measured: MeasuredRun = ray.get(ref)
            except RayError as error:
                schedule.finished(node.name, assignment, Status.INFRASTRUCTURE_ERROR)
                schedule.node_lost(node.name)
                work.progress.warn(
                    f"Node {node.name} is lost: {type(error).__name__}. Its runs go elsewhere."
                )
                continue
            work.store.write_run(measured.record, measured.calls)
            status = measured.record.status
            repeated = schedule.finished(node.name, assignment, status)
            work.progress.run_finished(measured.record, repeated=repeated)
            free[node.name] = node
            model_errors = model_errors + 1 if status is Status.MODEL_ERROR else 0
            if model_errors >= GIVE_UP_AFTER:
                raise ServerUnavailable(_server_failed(measured))


def _take(free: dict[str, Node], schedule: Schedule) -> Iterator[tuple[Node, Assignment]]:
    for name in list(free):
        assignment = schedule.take(name)
        if assignment:
            yield free.pop(name), assignment


def _activities(nodes: Any) -> str:
    texts = []
    for node in nodes:
        seen = activity(node)
        if seen is None:
            continue
        texts.append(seen.describe())
    return "; ".join(texts)


def _server_failed(measured: MeasuredRun) -> str:
    reason = (measured.record.error or "").strip().partition("\n")[0]
    return (
        f"The model server failed {GIVE_UP_AFTER} runs in a row. Last: {reason} "
        "What is complete is kept: mend the server and run the same command again."
    )
