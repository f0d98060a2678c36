"""What each node does next: pure code, without Ray or a clock.

A block (one task item and iteration, all frameworks and arms) stays on one node, so that what is compared
ran on the same hardware. On its node a block goes: start the runs' processes, probe, run after run, probe.
While processes start, nothing is measured, and the node's model may judge. An attempt that says nothing of
its framework, or was disturbed, is repeated at once, a bounded number of times.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from shared.plan import Plan, warmup_runs
from shared.records import RunKey, RunRecord, Status
from shared.surroundings import Quarantine

RETRIED = frozenset({Status.INFRASTRUCTURE_ERROR, Status.CONTAMINATED})
"""Says nothing of the framework, and a repetition may go better."""

STARTED_AT_ONCE = 8
"""Framework processes that wait for their run: each takes 0.2 to 0.5 GB of memory."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One attempt at one run."""

    key: RunKey
    attempt: int
    position: int
    """Place in the plan's order, from 0; -1 for a warm-up."""


@dataclass(frozen=True, slots=True)
class StartProcesses:
    """The processes of the runs that come next."""

    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class ProbeModel:
    """Measure the model's own speed, outside any run."""

    block: str
    """task.item.iteration"""
    when: Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One run, alone on its node."""

    assignment: Assignment


Step = StartProcesses | ProbeModel | Measure


@dataclass
class _Block:
    """A block on its node."""

    name: str
    waiting: deque[Assignment]
    starting: tuple[Assignment, ...] = ()
    started: deque[Assignment] = field(default_factory=deque)
    probes_due: deque[Literal["before", "after"]] = field(default_factory=deque)

    @property
    def unfinished(self) -> list[Assignment]:
        """All that was not handed out to be measured."""
        return [*self.started, *self.starting, *self.waiting]


class Schedule:
    """What is left of a plan. Not thread-safe: one dispatcher owns it, and reports each step's end."""

    def __init__(
        self,
        blocks: Iterable[Iterable[Assignment]],
        *,
        warmups: Sequence[Assignment] = (),
        probes: bool = False,
        attempts: int = 3,
        disturbed_attempts: int = 1,
    ) -> None:
        """
        Args:
            blocks: In order.
            warmups: What each node runs before its first block.
            probes: Whether blocks are probed before and after.
            attempts: How many in this session for one run before its failure is left on record.
            disturbed_attempts: The same before a disturbed run is kept as it is.
        """
        self._waiting = deque(deque(block) for block in blocks if block)
        self._on_node: dict[str, _Block] = {}
        self._warmups = warmups
        self._warmed: set[str] = set()
        self._probes = probes
        self._attempts = attempts
        self._disturbed_attempts = disturbed_attempts
        self._tries: dict[str, int] = {}

    def next(self, node: str) -> Step | None:
        """What `node` does next; None when nothing waits for it."""
        block = self._on_node.get(node)
        if block is None:
            if not self._waiting:
                return None
            block = self._on_node[node] = self._begin(node)
        if not block.started and block.waiting:
            count = min(STARTED_AT_ONCE, len(block.waiting))
            block.starting = tuple(block.waiting.popleft() for _ in range(count))
            return StartProcesses(block.starting)
        if "before" in block.probes_due or (block.probes_due and not block.started):
            return ProbeModel(block.name, block.probes_due.popleft())
        if block.started:
            return Measure(block.started.popleft())
        del self._on_node[node]
        return self.next(node)

    def processes_started(self, node: str) -> None:
        block = self._on_node[node]
        block.started.extend(block.starting)
        block.starting = ()

    def finished(self, node: str, assignment: Assignment, status: Status, *, disturbed: bool = False) -> bool:
        """Note how an attempt ended. Whether it will be repeated: then it comes last of its block."""
        limit = self._attempts if status in RETRIED else self._disturbed_attempts if disturbed else 1
        if self._tried(assignment) >= limit:
            return False
        self._on_node[node].waiting.append(_again(assignment))
        return True

    def repeat(self, assignment: Assignment) -> bool:
        """Do a run again that had counted, as a block of its own. False when it was tried often enough."""
        if self._tries.get(assignment.key.run_id, 0) >= self._attempts:
            return False
        self._waiting.appendleft(deque([_again(assignment)]))
        return True

    def node_lost(self, node: str) -> None:
        """What the node had left goes back to the front of the queue, for another node."""
        block = self._on_node.pop(node, None)
        left = [assignment for assignment in block.unfinished if assignment.position >= 0] if block else []
        if left:
            self._waiting.appendleft(deque(left))

    @property
    def left(self) -> int:
        """Runs that wait; one that is being measured and warm-ups are not among them."""
        on_nodes = (a for block in self._on_node.values() for a in block.unfinished if a.position >= 0)
        return sum(map(len, self._waiting)) + sum(1 for _ in on_nodes)

    def _begin(self, node: str) -> _Block:
        if self._warmups and node not in self._warmed:
            # The same runs on every node, told apart by their attempt numbers.
            rounds = len({a.attempt for a in self._warmups}) * len(self._warmed)
            self._warmed.add(node)
            again = (Assignment(a.key, a.attempt + rounds, -1) for a in self._warmups)
            return _Block("warm-up", deque(again))
        assignments = self._waiting.popleft()
        block = _Block(".".join(map(str, assignments[0].key.block)), assignments)
        if self._probes:
            block.probes_due.extend(("before", "after"))
        return block

    def _tried(self, assignment: Assignment) -> int:
        run_id = assignment.key.run_id
        self._tries[run_id] = self._tries.get(run_id, 0) + 1
        return self._tries[run_id]


def _again(assignment: Assignment) -> Assignment:
    return Assignment(assignment.key, assignment.attempt + 1, assignment.position)


@dataclass(frozen=True)
class Kept:
    """What is on disk of a plan."""

    counting: Sequence[RunRecord] = ()
    """The attempt that counts for each run (`Store.runs`)."""
    last_attempts: Mapping[str, int] = field(default_factory=dict)
    """Highest attempt number by run id, warm-ups included."""
    quarantined: Mapping[str, Quarantine] = field(default_factory=dict)
    """By attempt id."""

    def is_complete(self, record: RunRecord, disturbed_attempts: int) -> bool:
        """Whether a resumed plan leaves the run as it is."""
        found = self.quarantined.get(record.attempt_id)
        if found is None or not record.status.is_final:
            return record.status.is_final
        if found.code == "late_calls":
            return False
        tried = sum(q.run_id == found.run_id and q.code == found.code for q in self.quarantined.values())
        return tried >= disturbed_attempts


def remaining(
    blocks: Iterable[list[RunKey]], kept: Kept | None = None, *, disturbed_attempts: int = 1
) -> list[list[Assignment]]:
    """The plan minus what is complete, in the plan's order, each with its next attempt number."""
    kept = kept or Kept()
    records = {record.key: record for record in kept.counting}
    position = 0
    left: list[list[Assignment]] = []
    for block in blocks:
        todo: list[Assignment] = []
        for key in block:
            record = records.get(key)
            if record is None or not kept.is_complete(record, disturbed_attempts):
                todo.append(Assignment(key, kept.last_attempts.get(key.run_id, 0) + 1, position))
            position += 1
        if todo:
            left.append(todo)
    return left


def warmups(plan: Plan, kept: Kept) -> list[Assignment]:
    """What each node runs before its first block, with attempt numbers that nothing on disk has."""
    return [
        Assignment(key, kept.last_attempts.get(key.run_id, 0) + number, -1)
        for number in range(1, plan.warmups + 1)
        for key in warmup_runs(plan)
    ]
