"""What each node does next: pure code, without Ray or a clock.

A block (one task item and iteration, all frameworks and arms) stays on one node, so that what is compared
ran on the same hardware. On its node a block goes: start the runs' processes, probe, run after run, probe.
While processes start, nothing is measured, and the node's model may judge. An attempt that says nothing of
its framework, or was disturbed, is repeated at once, a bounded number of times.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
        blocks: Iterable[Sequence[Assignment]],
        *,
        runs: int | None = None,
        warmups: Sequence[Assignment] = (),
        probes: bool = False,
        attempts: int = 3,
        disturbed_attempts: int = 1,
    ) -> None:
        """
        Args:
            blocks: In order; taken one by one as nodes become free, if `runs` is given.
            runs: How many there are in `blocks`; None: they are counted.
            warmups: What each node runs before its first block.
            probes: Whether blocks are probed before and after.
            attempts: How many in this session for one run before its failure is left on record.
            disturbed_attempts: The same before a disturbed run is kept as it is.
        """
        if runs is None:
            blocks = list(blocks)
            runs = sum(map(len, blocks))
        self._blocks = iter(blocks)
        self._returned: deque[Sequence[Assignment]] = deque()
        """What comes before the rest of `blocks`: of lost nodes, and runs to be done again."""
        self._left = runs
        self._on_node: dict[str, _Block] = {}
        self._warmups = warmups
        self._warmed: set[str] = set()
        self._warmed_up = 0
        """How often, over all nodes."""
        self._probes = probes
        self._attempts = attempts
        self._disturbed_attempts = disturbed_attempts
        self._tries: dict[str, int] = {}
        """Attempts so far, of those runs that needed more than one."""

    def next(self, node: str) -> Step | None:
        """What `node` does next; None when nothing waits for it."""
        block = self._on_node.get(node)
        if block is None:
            block = self._begin(node)
            if block is None:
                return None
            self._on_node[node] = block
        if not block.started and block.waiting:
            count = min(STARTED_AT_ONCE, len(block.waiting))
            block.starting = tuple(block.waiting.popleft() for _ in range(count))
            return StartProcesses(block.starting)
        if "before" in block.probes_due or (block.probes_due and not block.started):
            return ProbeModel(block.name, block.probes_due.popleft())
        if block.started:
            assignment = block.started.popleft()
            self._left -= assignment.position >= 0
            return Measure(assignment)
        del self._on_node[node]
        return self.next(node)

    def processes_started(self, node: str) -> None:
        block = self._on_node[node]
        block.started.extend(block.starting)
        block.starting = ()

    def finished(self, node: str, assignment: Assignment, status: Status, *, disturbed: bool = False) -> bool:
        """Note how an attempt ended. Whether it will be repeated: then it comes last of its block."""
        limit = self._attempts if status in RETRIED else self._disturbed_attempts if disturbed else 1
        run_id = assignment.key.run_id
        tried = self._tries.get(run_id, 0) + 1
        repeated = tried < limit
        if repeated or tried > 1:
            self._tries[run_id] = tried
        if repeated:
            self._on_node[node].waiting.append(_again(assignment))
            self._left += assignment.position >= 0
        return repeated

    def repeat(self, assignment: Assignment) -> bool:
        """Do a run again that had counted, as a block of its own. False when it was tried often enough."""
        if self._tries.get(assignment.key.run_id, 1) >= self._attempts:
            return False
        self._returned.appendleft([_again(assignment)])
        self._left += 1
        return True

    def stop(self) -> None:
        """Hand out no more blocks; those on nodes are brought to their end."""
        self._blocks = iter(())
        on_nodes = (one for block in self._on_node.values() for one in block.unfinished)
        self._left = sum(map(len, self._returned)) + sum(one.position >= 0 for one in on_nodes)

    def node_lost(self, node: str) -> None:
        """What the node had left goes back to the front of the queue, for another node.

        One that comes back under the same name is a fresh one: it warms up again.
        """
        self._warmed.discard(node)
        block = self._on_node.pop(node, None)
        left = [assignment for assignment in block.unfinished if assignment.position >= 0] if block else []
        if left:
            self._returned.appendleft(left)

    @property
    def left(self) -> int:
        """Runs that wait; one that is being measured and warm-ups are not among them."""
        return self._left

    def _begin(self, node: str) -> _Block | None:
        assignments = self._returned.popleft() if self._returned else next(filter(None, self._blocks), None)
        if assignments is None:
            return None
        if self._warmups and node not in self._warmed:
            # The same runs on every node, told apart by their attempt numbers.
            rounds = len({a.attempt for a in self._warmups}) * self._warmed_up
            self._warmed.add(node)
            self._warmed_up += 1
            again = (Assignment(a.key, a.attempt + rounds, -1) for a in self._warmups)
            self._returned.appendleft(assignments)
            return _Block("warm-up", deque(again))
        block = _Block(".".join(map(str, assignments[0].key.block)), deque(assignments))
        if self._probes:
            block.probes_due.extend(("before", "after"))
        return block


def _again(assignment: Assignment) -> Assignment:
    return Assignment(assignment.key, assignment.attempt + 1, assignment.position)


@dataclass(frozen=True)
class Kept:
    """What is on disk of a plan."""

    complete: frozenset[str] = frozenset()
    """Ids of the runs that a resumed plan leaves as they are."""
    last_attempts: Mapping[str, int] = field(default_factory=dict)
    """Highest attempt number by run id, warm-ups included."""
    stopped: bool = False
    """Whether the plan's stopping rule ended it: nothing is left then."""


def complete(
    counting: Iterable[RunRecord], quarantined: Mapping[str, Quarantine], disturbed_attempts: int
) -> frozenset[str]:
    """Ids of the runs that need not be done again.

    Args:
        counting: The attempt that counts for each run (`Store.each_run`).
        quarantined: By attempt id.
        disturbed_attempts: How many before a disturbed run is kept as it is.
    """
    tried = Counter((found.run_id, found.code) for found in quarantined.values())

    def is_complete(record: RunRecord) -> bool:
        found = quarantined.get(record.attempt_id)
        if found is None or not record.status.is_final:
            return record.status.is_final
        return found.code != "late_calls" and tried[found.run_id, found.code] >= disturbed_attempts

    return frozenset(record.key.run_id for record in counting if is_complete(record))


def remaining(blocks: Iterable[list[RunKey]], kept: Kept | None = None) -> Iterator[list[Assignment]]:
    """The plan minus what is complete, in the plan's order, each with its next attempt number."""
    kept = kept or Kept()
    if kept.stopped:
        return
    position = 0
    for block in blocks:
        todo: list[Assignment] = []
        for key in block:
            if key.run_id not in kept.complete:
                todo.append(Assignment(key, kept.last_attempts.get(key.run_id, 0) + 1, position))
            position += 1
        if todo:
            yield todo


def warmups(plan: Plan, kept: Kept) -> list[Assignment]:
    """What each node runs before its first block, with attempt numbers that nothing on disk has."""
    return [
        Assignment(key, kept.last_attempts.get(key.run_id, 0) + number, -1)
        for number in range(1, plan.warmups + 1)
        for key in warmup_runs(plan)
    ]
