"""A plan of any size on nodes that fail, by the `Schedule` that real plans use; its time is made up.

Checked as it goes, by assertion: every run ends once and none is lost; a block stays on its node unless that
node is lost; no more processes wait on a node than are allowed.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field

from cluster.schedule import (
    STARTED_AT_ONCE,
    Assignment,
    Measure,
    ProbeModel,
    Schedule,
    StartProcesses,
    Step,
    remaining,
)
from shared.plan import Plan, TaskPlan, ordered_runs
from shared.records import Status

ATTEMPTS = 3
"""`Schedule`'s own bound."""


@dataclass(frozen=True)
class World:
    """How long things take, in made-up seconds, and how often they fail."""

    run_s: float = 30
    """Median; runs are log-normal around it."""
    spread: float = 0.5
    """Of its logarithm."""
    process_s: float = 2
    """To start one run's process."""
    probe_s: float = 2
    node_life_s: float = 4 * 3600
    """Mean; a lost node's successor joins `away_s` later, under another name."""
    away_s: float = 600
    infrastructure_errors: float = 0.01
    """Share of attempts; likewise below."""
    disturbed: float = 0.05
    spoilt: float = 0.001
    """Attempts that are found, after they counted, to have disturbed another."""


@dataclass
class Simulated:
    """What came of it."""

    runs: int = 0
    attempts: int = 0
    nodes: int = 0
    """All that ever were."""
    lost_nodes: int = 0
    gave_up: int = 0
    """Runs whose last attempt was still an infrastructure error."""
    seconds: float = 0
    """Made up, from the first step to the last."""
    measured_s: float = 0
    """Of nodes, in runs; what a lost node did not finish is not in it."""
    available_s: float = 0
    """Of nodes, from joining to being lost or to the end."""
    most_waiting: int = 0
    """Processes that waited for their run on one node."""

    @property
    def utilisation(self) -> float:
        return self.measured_s / self.available_s


@dataclass
class _Node:
    name: str
    joined_s: float
    lost_s: float
    waiting: int = 0
    """Processes that wait for their run."""
    step: Step | None = None
    took_s: float = 0


@dataclass
class _Ends:
    """How each run has ended, by its place in the plan."""

    done: bytearray
    on_node: dict[tuple[str, str, int], str] = field(default_factory=dict)
    """Block -> where its runs are measured."""
    lost: set[str] = field(default_factory=set)

    def measured_on(self, assignment: Assignment, node: str) -> None:
        block = assignment.key.block
        earlier = self.on_node.setdefault(block, node)
        # A run that is done again comes as a block of its own, which may be anywhere.
        again = assignment.attempt > 1
        assert earlier == node or earlier in self.lost or again, f"{block} left {earlier} for {node}"
        if not again:
            self.on_node[block] = node

    def ended(self, assignment: Assignment) -> None:
        assert not self.done[assignment.position], f"{assignment.key.run_id} ended twice"
        self.done[assignment.position] = 1

    def taken_back(self, assignment: Assignment) -> None:
        self.done[assignment.position] = 0


class Simulation:
    """One plan on so many nodes. `seed` decides all that is left to chance."""

    def __init__(
        self,
        plan: Plan,
        nodes: int,
        world: World | None = None,
        seed: int = 1,
        kind: type[Schedule] = Schedule,
    ) -> None:
        """`kind`: of schedule; a test has one with a fault, which must be found."""
        self._world = world or World()
        self._chance = random.Random(seed)  # noqa: S311 - seeded on purpose
        runs = sum(len(block) for block in remaining(ordered_runs(plan)))
        self._schedule = kind(
            remaining(ordered_runs(plan)),
            runs=runs,
            probes=plan.probes,
            attempts=ATTEMPTS,
            disturbed_attempts=plan.disturbance.attempts,
        )
        self._ends = _Ends(bytearray(runs))
        self._found = Simulated(runs=runs)
        self._now_s = 0.0
        self._events: list[tuple[float, int, _Node]] = []
        """When a node joins (it has no step yet), or ends its step, or is lost in it."""
        self._number = 0
        self._idle: list[_Node] = []
        self._busy = 0
        for _ in range(nodes):
            self._join(0.0)

    def run(self) -> Simulated:
        while self._events and (self._schedule.left or self._busy):
            self._now_s, _, node = heapq.heappop(self._events)
            if node.step is None:
                self._give(node)
                continue
            self._busy -= 1
            if node.lost_s <= self._now_s:
                self._lose(node)
            else:
                self._end(node)
                self._give(node)
        found = self._found
        assert not self._schedule.left, f"{self._schedule.left} runs were left"
        assert sum(self._ends.done) == found.runs, f"{found.runs - sum(self._ends.done)} runs were lost"
        found.seconds = self._now_s
        found.available_s += sum(self._now_s - node.joined_s for node in self._idle)
        return found

    def _join(self, at_s: float) -> None:
        self._number += 1
        life_s = self._chance.expovariate(1 / self._world.node_life_s)
        node = _Node(f"node-{self._number}", at_s, at_s + life_s)
        heapq.heappush(self._events, (at_s, self._number, node))
        self._found.nodes += 1

    def _give(self, node: _Node) -> None:
        node.step = self._schedule.next(node.name)
        if node.step is None:
            self._idle.append(node)
            return
        node.took_s = self._duration_s(node.step)
        self._number += 1
        self._busy += 1
        ends_s = min(self._now_s + node.took_s, max(node.lost_s, self._now_s))
        heapq.heappush(self._events, (ends_s, self._number, node))

    def _duration_s(self, step: Step) -> float:
        world = self._world
        match step:
            case StartProcesses():
                return world.process_s * len(step.assignments)
            case ProbeModel():
                return world.probe_s
            case Measure():
                return world.run_s * self._chance.lognormvariate(0, world.spread)

    def _end(self, node: _Node) -> None:
        match node.step:
            case StartProcesses():
                node.waiting += len(node.step.assignments)
                assert node.waiting <= STARTED_AT_ONCE, f"{node.waiting} processes wait on {node.name}"
                self._found.most_waiting = max(self._found.most_waiting, node.waiting)
                self._schedule.processes_started(node.name)
            case Measure():
                node.waiting -= 1
                self._found.measured_s += node.took_s
                self._measured(node, node.step.assignment)
            case _:
                pass

    def _measured(self, node: _Node, assignment: Assignment) -> None:
        world, chance = self._world, self._chance.random()
        failed = chance < world.infrastructure_errors
        disturbed = not failed and chance < world.infrastructure_errors + world.disturbed
        status = Status.INFRASTRUCTURE_ERROR if failed else Status.COMPLETED
        self._attempted(node, assignment)
        if self._schedule.finished(node.name, assignment, status, disturbed=disturbed):
            return
        self._ends.ended(assignment)
        self._found.gave_up += failed
        if not failed and self._chance.random() < world.spoilt and self._schedule.repeat(assignment):
            self._ends.taken_back(assignment)
            self._wake()

    def _attempted(self, node: _Node, assignment: Assignment) -> None:
        self._found.attempts += 1
        assert assignment.attempt <= 2 * ATTEMPTS, f"{assignment.key.run_id}: attempt {assignment.attempt}"
        self._ends.measured_on(assignment, node.name)

    def _lose(self, node: _Node) -> None:
        """In the middle of a step, as the dispatcher tells the schedule of it."""
        self._found.lost_nodes += 1
        self._found.available_s += self._now_s - node.joined_s
        if isinstance(node.step, Measure):
            assignment = node.step.assignment
            self._attempted(node, assignment)
            if not self._schedule.finished(node.name, assignment, Status.INFRASTRUCTURE_ERROR):
                self._ends.ended(assignment)
                self._found.gave_up += 1
        self._ends.lost.add(node.name)
        self._schedule.node_lost(node.name)
        self._join(self._now_s + self._world.away_s)
        self._wake()

    def _wake(self) -> None:
        """Something waits again: those that had nothing to do ask for it."""
        idle, self._idle = self._idle, []
        for node in idle:
            self._give(node)


def plan_of(runs: int, *, frameworks: int = 6, iterations: int = 10) -> Plan:
    """At least so many runs: both arms, as many items as it takes."""
    per_item = frameworks * 2 * iterations
    return Plan(
        name="simulated",
        frameworks=[f"f{number}" for number in range(frameworks)],
        arms=["idiomatic", "equalised"],
        tasks=[TaskPlan(name="t", items=[f"i{number}" for number in range(-(-runs // per_item))])],
        iterations=iterations,
    )
