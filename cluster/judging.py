"""Have reports judged on nodes that no run holds, or at a service: a bounded number in flight at each.

One Ray actor per place asks, with a thread for each request in flight: requests wait for a model, and a
process for each would cost more than all that it does.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster.nodes import Node
from cluster.workspace import Workspace
from judge.chat import JudgeEndpoint
from shared.judgement_store import Judgements
from shared.judgements import AuditVerdict, Comparison
from shared.records import Verdict
from shared.store import Store

LEASE_S = 24 * 3600.0
"""Judging ends when it is done; a lease needs some end."""
QUESTIONS_PER_LEASE = 500
"""The gateway holds a lease's calls in memory until it is closed."""
REQUEST_TIMEOUT_S = 300.0
OPEN_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 10.0
GIVE_UP_AFTER = 3
"""Questions in a row without an answer: then the judge is not there, and more would only say so again."""
AHEAD = 2
"""A service has so many times what it may judge at once handed to its actor, so that writing verdicts to disk
keeps nobody waiting. A node has not: a run would wait for it."""

Judgement = Verdict | Comparison | AuditVerdict


class Job(Protocol):
    """One question to a judge, with all that it needs."""

    def ask(self, endpoint: JudgeEndpoint, judge: str) -> Judgement:
        """Raises JudgeUnavailable."""
        ...


class JudgeClient:
    """The actor: as many threads as there may be requests in flight."""

    def ask(self, job: Job, endpoint: JudgeEndpoint, judge: str) -> Judgement:
        return job.ask(endpoint, judge)


@dataclass
class _Desk:
    """Where judging goes on at the moment."""

    endpoint: JudgeEndpoint
    client: Any
    most: int
    """In flight at once."""
    left: float = math.inf
    """Questions that may still be asked here before another lease is opened."""
    in_flight: dict[Any, Job] = field(default_factory=dict)


class Judging:
    """Whoever drives the nodes says when one may judge, and waits for `refs` among its own."""

    def __init__(self, work: Workspace, jobs: Iterable[Job], judge: str | None = None) -> None:
        """`judge`: whose answers they are; None: the main judge's."""
        self.judge = judge or work.settings.judge
        self._work = work
        self._waiting = deque(jobs)
        self._desks: dict[str, _Desk] = {}
        self._clients: dict[str, Any] = {}
        self._starting: dict[Any, str] = {}
        """Nodes whose process for asking is not up yet, by what says that it is."""
        self._unanswered = 0

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def starting(self) -> list[Any]:
        """To be waited for like `refs`."""
        return list(self._starting)

    @property
    def refs(self) -> list[Any]:
        return [ref for desk in self._desks.values() for ref in desk.in_flight]

    def add(self, job: Job) -> None:
        if self._unanswered < GIVE_UP_AFTER:
            self._waiting.append(job)

    def prepare(self, node: Node) -> None:
        """Start the process that will ask for the node; until it is up the node cannot be left."""
        if node.name not in self._clients:
            client = self._client(node.name, node.place.ray_node_id)
            self._starting[client.__ray_ready__.remote()] = node.name

    def use(self, node: Node) -> None:
        """Give the node as many reports as it may judge at once. Raises RayError when the node is gone."""
        desk = self._desks.get(node.name)
        if desk and not desk.left and self.leave(node):
            desk = None
        if desk is None and self._waiting:
            lease = ray.get(node.actor.open_judging.remote(LEASE_S), timeout=OPEN_TIMEOUT_S)
            endpoint = self._endpoint(lease.base_url, node.info.identity.served_model, "unused")
            client = self._client(node.name, node.place.ray_node_id)
            most = self._work.settings.judge_parallel
            desk = self._desks[node.name] = _Desk(endpoint, client, most, left=QUESTIONS_PER_LEASE)
        self._fill(desk)
        if desk and not desk.in_flight:
            self.leave(node)

    def leave(self, node: Node) -> bool:
        """Whether the node judges no more; what it has in flight is still finished."""
        if node.name in self._starting.values():
            return False
        desk = self._desks.get(node.name)
        if desk is None:
            return True
        if desk.in_flight:
            return False
        del self._desks[node.name]
        ray.wait([node.actor.close_judging.remote()], timeout=CLOSE_TIMEOUT_S)
        return True

    def lost(self, node: Node) -> None:
        """The node is gone; what it was asked is asked elsewhere."""
        self._starting = {ref: name for ref, name in self._starting.items() if name != node.name}
        self._close(node.name)

    def use_service(self, base_url: str, model: str, api_key: str | None) -> None:
        """Give a service that needs no node what it may judge at once, and as much to go on with."""
        desk = self._desks.get(base_url)
        if desk is None:
            client = self._client(base_url, ray.get_runtime_context().get_node_id())
            most = AHEAD * self._work.settings.judge_parallel
            desk = self._desks[base_url] = _Desk(self._endpoint(base_url, model, api_key), client, most)
        self._fill(desk)

    def collect(self, ref: Any) -> None:
        """Keep a judgement. A judge that cannot be reached leaves its report unjudged, and says so."""
        if self._starting.pop(ref, None):
            return  # one that did not come up says so when it is asked
        desk = next((name for name, desk in self._desks.items() if ref in desk.in_flight), None)
        if desk is None:
            return  # its node is lost, and it is asked elsewhere
        try:
            found: Judgement = ray.get(ref)
        except RayTaskError as error:
            del self._desks[desk].in_flight[ref]
            self._left_out(error.cause)
        except RayError as error:  # nothing is wrong with the question
            self._close(desk)
            self._work.progress.warn(f"A judge's process is lost: {type(error).__name__}. It is asked again.")
            self._not_answered()
            return
        else:
            del self._desks[desk].in_flight[ref]
            self._unanswered = 0
            keep_judgement(self._work.store, found)
            if not _usable(found):
                self._work.progress.warn("  no usable verdict in any attempt: recorded as a failure")
        self._work.progress.judged()

    def _fill(self, desk: _Desk | None) -> None:
        while desk and self._waiting and desk.left and len(desk.in_flight) < desk.most:
            desk.left -= 1
            job = self._waiting.popleft()
            desk.in_flight[desk.client.ask.remote(job, desk.endpoint, self.judge)] = job

    def _close(self, desk: str) -> None:
        """What it had in flight is asked elsewhere."""
        self._clients.pop(desk, None)
        if closed := self._desks.pop(desk, None):
            self._waiting.extendleft(reversed(closed.in_flight.values()))

    def _left_out(self, cause: Exception) -> None:
        self._work.progress.warn(f"A report is left unjudged: {cause}. `levelfield judge` goes on with it.")
        self._not_answered()

    def _not_answered(self) -> None:
        self._unanswered += 1
        if self._unanswered == GIVE_UP_AFTER:
            self._work.progress.warn(
                f"{self.judge} left {GIVE_UP_AFTER} questions in a row without an answer, and is asked no "
                f"more now: {len(self._waiting)} reports are left unjudged."
            )
            self._waiting.clear()

    def _endpoint(self, base_url: str, model: str, api_key: str | None) -> JudgeEndpoint:
        return JudgeEndpoint(
            base_url=base_url,
            model=model,
            api_key=api_key,
            timeout_s=REQUEST_TIMEOUT_S,
            max_tokens=self._work.settings.judge_max_tokens,
        )

    def _client(self, desk: str, ray_node_id: str) -> Any:
        """Started at the desk's first use; it ends with its last handle."""
        if desk not in self._clients:
            self._clients[desk] = (
                ray.remote(JudgeClient)
                .options(
                    num_cpus=0,  # it waits for the model; how many may wait is bounded
                    max_concurrency=self._work.settings.judge_parallel,
                    max_restarts=2,
                    max_task_retries=2,
                    scheduling_strategy=NodeAffinitySchedulingStrategy(ray_node_id, soft=False),
                )
                .remote()
            )
        return self._clients[desk]


def keep_judgement(store: Store, found: Judgement) -> None:
    match found:
        case Verdict():
            store.write_verdict(found)
        case Comparison():
            Judgements(store.folder).write_comparison(found)
        case AuditVerdict():
            Judgements(store.folder).write_audit(found)


def _usable(found: Judgement) -> bool:
    return found.winner is not None if isinstance(found, Comparison) else found.scored
