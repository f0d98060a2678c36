"""Have reports judged in parallel on nodes that no run holds: Ray tasks, a bounded number in flight."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster.judge_jobs import JudgeJob
from cluster.nodes import POLL_S, Node
from cluster.workspace import Workspace
from judge.chat import JudgeEndpoint
from judge.judge_report import judge_report
from shared.records import Verdict

LEASE_S = 24 * 3600.0
"""Judging ends when it is done; a lease needs some end."""
REQUEST_TIMEOUT_S = 300.0
CLOSE_TIMEOUT_S = 10.0


def judge_reports(work: Workspace, nodes: Sequence[Node], jobs: Sequence[JudgeJob]) -> None:
    """Write a verdict per job. A judge that cannot be reached leaves reports unjudged, and says so."""
    judge, interrupts = work.settings.judge, work.interrupts
    waiting = deque(jobs)
    leases = [(node, ray.get(node.actor.open_judging.remote(LEASE_S))) for node in nodes]
    slots = deque((node, lease) for _ in range(work.settings.judge_parallel) for node, lease in leases)
    in_flight: dict[Any, Any] = {}
    try:
        while (waiting and not interrupts.stopping) or in_flight:
            while waiting and slots and not interrupts.stopping:
                node, lease = slots.popleft()
                endpoint = JudgeEndpoint(
                    base_url=lease.base_url,
                    api_key="unused",
                    model=node.info.identity.served_model,
                    timeout_s=REQUEST_TIMEOUT_S,
                )
                in_flight[_submit(node, waiting.popleft(), endpoint, judge)] = (node, lease)
            ready, _ = ray.wait(list(in_flight), timeout=POLL_S)
            work.progress.doing(f"{len(in_flight)} reports with {judge}")
            for ref in ready:
                slots.append(in_flight.pop(ref))
                _keep(ref, work)
    finally:
        for node, _ in leases:
            ray.wait([node.actor.close_judging.remote()], timeout=CLOSE_TIMEOUT_S)


def _submit(node: Node, job: JudgeJob, endpoint: JudgeEndpoint, judge: str) -> Any:
    return (
        ray.remote(_judge)
        .options(
            num_cpus=0,  # it waits for the model; how many may wait is bounded by the slots
            max_retries=2,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node.place.ray_node_id, soft=False),
        )
        .remote(job, endpoint, judge)
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


def _keep(ref: Any, work: Workspace) -> None:
    try:
        verdict: Verdict = ray.get(ref)
    except RayError as error:
        cause = error.cause if isinstance(error, RayTaskError) else error
        work.progress.warn(f"A report is left unjudged: {cause}. `levelfield judge` goes on with it.")
    else:
        work.store.write_verdict(verdict)
        if not verdict.scored:
            work.progress.warn("  no usable verdict in any attempt: recorded as a failure")
    work.progress.advance()
