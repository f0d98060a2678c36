"""Carry out a schedule: every node does its next step, judges while it has none, and each record is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any

import ray
from ray.exceptions import RayError

from cluster.attempts import Attempts
from cluster.inference_node import MeasuredRun
from cluster.judging import Judging
from cluster.looks import Looks
from cluster.node_actors import POLL_S
from cluster.nodes import Node, Nodes, activities
from cluster.schedule import Assignment, Measure, ProbeModel, Schedule, StartProcesses, Step
from cluster.workspace import Workspace
from shared.errors import NodeFailed, ServerUnavailable
from shared.records import RunKey, Status

SHOWN_NODES = 4
"""What they are at stands in the progress line."""
GIVE_UP_AFTER = 3
"""Model errors in a row, in a whole session: then the server is down, and more runs would say nothing."""


def dispatch(
    work: Workspace,
    nodes: Nodes,
    schedule: Schedule,
    attempts: Attempts | None = None,
    judging: Judging | None = None,
) -> None:
    """Until nothing is left, or the user stops it; then what is in flight is still finished.

    Args:
        work: The experiment.
        nodes: Started; those that join meanwhile are used, those that are lost are done without.
        schedule: What they do.
        attempts: Of the runs in `schedule`; None when it is empty.
        judging: What the nodes' own model judges while no run holds it; None when it is not the judge.

    Raises:
        ServerUnavailable: The model server failed several runs in a row.
        NodeFailed: No node is left.
    """
    _Dispatcher(work, nodes, schedule, attempts, judging).run()


class _Dispatcher:
    """One thread, one loop; a node has at most one step in flight."""

    def __init__(
        self,
        work: Workspace,
        nodes: Nodes,
        schedule: Schedule,
        attempts: Attempts | None,
        judging: Judging | None,
    ) -> None:
        self._work = work
        self._schedule = schedule
        self._attempts = attempts
        self._judges = judging is not None and any(task.rubric for task in work.experiment.tasks.values())
        self._judging = judging or Judging(work, ())
        self._nodes = nodes
        self._idle = {node.name: node for node in nodes.running}
        self._next: dict[str, Step] = {}
        """Steps that wait for their node to finish judging."""
        self._in_flight: dict[Any, tuple[Node, Step, Callable[[Any], None]]] = {}
        self._probes = max((probe.number for probe in work.store.probes()), default=0)
        self._looks = Looks(work.experiment.plan, work.store)
        self._model_errors = 0
        self._only_judging = False
        self._shown_s = 0.0

    def run(self) -> None:
        while True:
            for node in list(self._idle.values()):
                self._give(node)
            self._judge_meanwhile()
            busy = [*self._in_flight, *self._judging.refs, *self._judging.starting]
            wanted = self._schedule.left or self._judging.waiting
            if self._work.interrupts.stopping or not wanted:
                if not busy:
                    return
            else:
                self._nodes.look_for_more()
            waited_for = [*busy, *self._nodes.joining]
            if not waited_for:
                raise NodeFailed("All inference nodes are gone. Run the same command again to go on.")
            self._show()
            ready, _ = ray.wait(waited_for, timeout=POLL_S)
            for ref in ready:
                self._end(ref)

    def _give(self, node: Node) -> None:
        """The node's next step, once it has finished judging for it; with nothing else to do it judges."""
        if self._work.interrupts.stopping:
            self._judging.leave(node)
            return
        step = self._next.pop(node.name, None) or self._schedule.next(node.name)
        try:
            match step:
                case None:
                    self._judging.use(node)
                case StartProcesses():
                    self._begin(node, step)
                case _ if self._judging.leave(node):
                    self._begin(node, step)
                case _:
                    self._next[node.name] = step
        except RayError as error:
            self._lost(node, error)

    def _judge_meanwhile(self) -> None:
        """While processes start on a node, its model has nothing else to do."""
        starting = [node for node, step, _ in self._in_flight.values() if isinstance(step, StartProcesses)]
        for node in starting:
            if not self._work.interrupts.stopping:
                with suppress(RayError):  # a node that is gone says so through its own step
                    self._judging.use(node)

    def _begin(self, node: Node, step: Step) -> None:
        assert self._attempts  # noqa: S101 - a schedule with steps comes with attempts
        then: Callable[[Any], None]
        match step:
            case StartProcesses():
                jobs = [self._attempts.job_for(assignment) for assignment in step.assignments]
                ref = node.actor.start_processes.remote(jobs)
                if self._judges:
                    self._judging.prepare(node)
                then = partial(self._started, node)
            case ProbeModel():
                self._probes += 1
                ref = node.actor.probe.remote(step.block, step.when, self._probes)
                then = self._work.store.write_probe
            case Measure():
                ref = node.actor.measure.remote(self._attempts.job_for(step.assignment))
                then = partial(self._measured, node, step.assignment)
        self._idle.pop(node.name, None)
        self._in_flight[ref] = (node, step, then)

    def _end(self, ref: Any) -> None:
        if ref in self._nodes.joining:
            if node := self._nodes.joined(ref):
                self._idle[node.name] = node
            return
        if ref not in self._in_flight:
            self._judging.collect(ref)
            return
        node, step, then = self._in_flight.pop(ref)
        try:
            answer = ray.get(ref)
        except RayError as error:
            if isinstance(step, Measure):
                assert self._attempts  # noqa: S101 - as above
                self._measured(node, step.assignment, self._attempts.lost(step.assignment, node.name, error))
            self._lost(node, error)
            return
        self._idle[node.name] = node
        then(answer)

    def _started(self, node: Node, _: None) -> None:
        self._schedule.processes_started(node.name)

    def _measured(self, node: Node, assignment: Assignment, measured: MeasuredRun) -> None:
        assert self._attempts  # noqa: S101 - as above
        record = measured.record
        kept = self._attempts.keep(measured)
        repeated = self._schedule.finished(
            node.name, assignment, record.status, disturbed=bool(kept.disturbed)
        )
        self._work.progress.run_finished(record, repeated=repeated, disturbed=kept.disturbed)
        for earlier in kept.spoilt:
            self._looks.again(earlier.key)
            self._schedule.repeat(earlier)
        if record.status.is_final and not repeated and record.key.iteration > 0:
            self._look(record.key)
        if self._judges and not repeated:
            for job in self._attempts.new_judge_jobs(record):
                self._judging.add(job)
        self._model_errors = self._model_errors + 1 if record.status is Status.MODEL_ERROR else 0
        if self._model_errors >= GIVE_UP_AFTER:
            raise ServerUnavailable(_server_failed(measured))

    def _look(self, key: RunKey) -> None:
        """Stop early where the plan's own rule says so."""
        if stopped := self._looks.after(key):
            self._work.store.write_stopped(stopped)
            self._schedule.stop()
            self._work.progress.say(stopped.sentence)

    def _lost(self, node: Node, error: RayError) -> None:
        self._idle.pop(node.name, None)
        self._next.pop(node.name, None)
        self._schedule.node_lost(node.name)
        self._judging.lost(node)
        self._nodes.lost(node)
        with suppress(RayError):  # it may only be cut off: what it does from now on is nobody's
            ray.kill(node.actor)
        self._work.progress.warn(f"Node {node.name} is lost: {type(error).__name__}. Its runs go elsewhere.")

    def _show(self) -> None:
        if time.monotonic() - self._shown_s < POLL_S:
            return
        self._shown_s = time.monotonic()
        progress = self._work.progress
        judged = len(self._judging.refs)
        measuring = self._in_flight or self._next or self._schedule.left
        if judged and not measuring and not self._only_judging:
            self._only_judging = True
            progress.stage("Judging", total=judged + self._judging.waiting)
        working = [node for node, _, _ in islice(self._in_flight.values(), SHOWN_NODES)]
        texts = activities(working)
        if more := len(self._in_flight) - len(working):
            texts.append(f"{more} more nodes")
        if judged:
            texts.append(f"{judged} with {self._judging.judge}")
        progress.doing("; ".join(texts))


def _server_failed(measured: MeasuredRun) -> str:
    reason = (measured.record.error or "").strip().partition("\n")[0]
    return (
        f"The model server failed {GIVE_UP_AFTER} runs in a row. Last: {reason} "
        "What is complete is kept: mend the server and run the same command again."
    )
