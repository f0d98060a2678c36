"""Have reports judged on nodes that no run holds: Ray tasks, a bounded number in flight on each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster.gateway.process import Lease
from cluster.judge_jobs import JudgeJob
from cluster.nodes import Node
from cluster.workspace import Workspace
from judge.chat import JudgeEndpoint
from judge.judge_report import judge_report
from shared.records import Verdict

LEASE_S = 24 * 3600.0
"""Judging ends when it is done; a lease needs some end."""
REQUEST_TIMEOUT_S = 300.0
OPEN_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 10.0


@dataclass
class _Desk:
    """A node that judges at the moment."""

    node: Node
    lease: Lease
    in_flight: set[Any] = field(default_factory=set)


class Judging:
    """Whoever drives the nodes says when one may judge, and waits for `refs` among its own."""

    def __init__(self, work: Workspace, jobs: Iterable[JudgeJob]) -> None:
        self._work = work
        self._waiting = deque(jobs)
        self._desks: dict[str, _Desk] = {}

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def refs(self) -> list[Any]:
        return [ref for desk in self._desks.values() for ref in desk.in_flight]

    def add(self, job: JudgeJob) -> None:
        self._waiting.append(job)

    def use(self, node: Node) -> None:
        """Give the node as many reports as it may judge at once. Raises RayError when the node is gone."""
        desk = self._desks.get(node.name)
        if desk is None and self._waiting:
            lease = ray.get(node.actor.open_judging.remote(LEASE_S), timeout=OPEN_TIMEOUT_S)
            desk = self._desks[node.name] = _Desk(node, lease)
        while desk and self._waiting and len(desk.in_flight) < self._work.settings.judge_parallel:
            desk.in_flight.add(self._submit(desk, self._waiting.popleft()))
        if desk and not desk.in_flight:
            self.leave(node)

    def leave(self, node: Node) -> bool:
        """Whether the node judges no more; what it has in flight is still finished."""
        desk = self._desks.get(node.name)
        if desk is None:
            return True
        if desk.in_flight:
            return False
        del self._desks[node.name]
        ray.wait([node.actor.close_judging.remote()], timeout=CLOSE_TIMEOUT_S)
        return True

    def collect(self, ref: Any) -> None:
        """Keep a verdict. A judge that cannot be reached leaves its report unjudged, and says so."""
        for desk in self._desks.values():
            desk.in_flight.discard(ref)
        try:
            verdict: Verdict = ray.get(ref)
        except RayError as error:
            cause = error.cause if isinstance(error, RayTaskError) else error
            self._work.progress.warn(
                f"A report is left unjudged: {cause}. `levelfield judge` goes on with it."
            )
        else:
            self._work.store.write_verdict(verdict)
            if not verdict.scored:
                self._work.progress.warn("  no usable verdict in any attempt: recorded as a failure")
        self._work.progress.judged()

    def _submit(self, desk: _Desk, job: JudgeJob) -> Any:
        endpoint = JudgeEndpoint(
            base_url=desk.lease.base_url,
            api_key="unused",
            model=desk.node.info.identity.served_model,
            timeout_s=REQUEST_TIMEOUT_S,
        )
        return (
            ray.remote(_judge)
            .options(
                num_cpus=0,  # it waits for the model; how many may wait is bounded
                max_retries=2,
                scheduling_strategy=NodeAffinitySchedulingStrategy(desk.node.place.ray_node_id, soft=False),
            )
            .remote(job, endpoint, self._work.settings.judge)
        )


def _judge(job: JudgeJob, endpoint: JudgeEndpoint, judge: str) -> Verdict:
    return judge_report(
        job.text,
        run_id=job.run_id,
        attempt_id=job.attempt_id,
        description=job.description,
        rubric=job.rubric,
        evidence=job.evidence,
        endpoint=endpoint,
        judge_name=judge,
    )
