"""Which node runs what next: pure code, without Ray or a clock.

A block (one task item and iteration, all frameworks and arms) stays on one node, so that what is compared
ran on the same hardware. An attempt that failed through our own fault is repeated at once, a bounded number
of times.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from shared.records import RunKey, RunRecord, Status

RETRIED = frozenset({Status.INFRASTRUCTURE_ERROR, Status.CONTAMINATED})
"""Says nothing of the framework, and a repetition may go better."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One attempt at one run."""

    key: RunKey
    attempt: int
    position: int
    """Place in the plan's order, from 0."""


class Schedule:
    """What is left of a plan. Not thread-safe: one dispatcher owns it."""

    def __init__(self, blocks: Iterable[Iterable[Assignment]], *, attempts: int = 3) -> None:
        """`attempts`: how many in this session for one run before its failure is left on record."""
        self._waiting = deque(deque(block) for block in blocks if block)
        self._on_node: dict[str, deque[Assignment]] = {}
        self._tries: dict[str, int] = {}
        self._attempts = attempts

    def take(self, node: str) -> Assignment | None:
        """The next run for `node`: the rest of its block, else the next block; None when nothing waits."""
        block = self._on_node.get(node)
        if not block:
            if not self._waiting:
                return None
            block = self._on_node[node] = self._waiting.popleft()
        return block.popleft()

    def finished(self, node: str, assignment: Assignment, status: Status) -> bool:
        """Note how an attempt ended. Whether it will be repeated: then it comes first on the same node."""
        run_id = assignment.key.run_id
        self._tries[run_id] = self._tries.get(run_id, 0) + 1
        if status not in RETRIED or self._tries[run_id] >= self._attempts:
            return False
        again = Assignment(assignment.key, assignment.attempt + 1, assignment.position)
        self._on_node.setdefault(node, deque()).appendleft(again)
        return True

    def node_lost(self, node: str) -> None:
        """What the node had left goes back to the front of the queue, for another node."""
        block = self._on_node.pop(node, None)
        if block:
            self._waiting.appendleft(block)

    @property
    def left(self) -> int:
        """Runs that wait; those in flight are not among them."""
        return sum(map(len, self._waiting)) + sum(map(len, self._on_node.values()))


def remaining(blocks: Iterable[list[RunKey]], done: Iterable[RunRecord]) -> list[list[Assignment]]:
    """The plan minus what is complete, in the plan's order, each with its next attempt number.

    `done` is the attempt that counts for each run (`Store.runs`).
    """
    records = {record.key: record for record in done}
    position = 0
    left: list[list[Assignment]] = []
    for block in blocks:
        todo: list[Assignment] = []
        for key in block:
            record = records.get(key)
            if record is None or not record.status.is_final:
                todo.append(Assignment(key, record.attempt + 1 if record else 1, position))
            position += 1
        if todo:
            left.append(todo)
    return left
