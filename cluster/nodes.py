"""Inference nodes and environments on Ray: start them, prepare them, and say what is going on meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster.inference_node import Activity, InferenceNode, NodeInfo, PreparedEnvironment
from cluster.progress import RunProgress
from cluster.servers import ServerOptions
from cluster.session import NodePlace, node_places
from shared.errors import EnvironmentFailed, LevelfieldError, NodeFailed

CONCURRENCY = 4
"""Threads of a node's actor: one measures, the others answer about progress."""
START_TIMEOUT_S = 900.0
"""For a model to be fetched, checked and loaded."""
POLL_S = 0.5


@dataclass(frozen=True)
class Node:
    """A running inference node as the driver sees it."""

    place: NodePlace
    actor: Any
    info: NodeInfo

    @property
    def name(self) -> str:
        return self.place.name


@contextmanager
def serving_nodes(setting: str, options: ServerOptions, progress: RunProgress) -> Iterator[list[Node]]:
    """Inference nodes with the model `setting` wherever Ray has a place for one, stopped afterwards."""
    progress.stage("Setting up")
    machines = ray.nodes()  # type: ignore[no-untyped-call]
    nodes = start_nodes(node_places(machines), setting, options, progress)
    try:
        yield nodes
    finally:
        stop_nodes(nodes)


def start_nodes(
    places: Sequence[NodePlace], setting: str, options: ServerOptions, progress: RunProgress
) -> list[Node]:
    """Start all in parallel; those that fail are left out with a warning, unless all fail."""
    actors = [_create(place) for place in places]
    starts = [actor.start.remote(setting, options) for actor in actors]
    nodes, failures = [], []
    for place, actor, ref in zip(places, actors, starts, strict=True):
        try:
            info = _wait(ref, actor, progress.doing, START_TIMEOUT_S)
        except (RayError, LevelfieldError) as error:
            failures.append(_cause(error))
            continue
        nodes.append(Node(place, actor, info))
    if not nodes:
        raise failures[0]
    for failure in failures:
        progress.warn(f"A node is left out: {failure}")
    return nodes


def prepare_environments(
    nodes: Sequence[Node], frameworks: Sequence[str], locks: Mapping[str, str], progress: RunProgress
) -> dict[str, PreparedEnvironment]:
    """Build and try each framework's environment on every node; one that fails is named and left out.

    `locks`: of those in a stated version, which the nodes' own catalogue does not have.
    """
    prepared: dict[str, PreparedEnvironment] = {}
    for framework in frameworks:
        refs = [(node, node.actor.prepare.remote(framework, locks.get(framework))) for node in nodes]
        answers = [_wait(ref, node.actor, progress.doing, START_TIMEOUT_S) for node, ref in refs]
        failed = [answer for answer in answers if isinstance(answer, EnvironmentFailed)]
        if failed:
            progress.warn(f"{framework} is left out: {failed[0]}")
        else:
            prepared[framework] = answers[0]
        progress.advance()
    if not prepared:
        raise EnvironmentFailed("No framework's environment could be prepared; see the messages above.")
    return prepared


def stop_nodes(nodes: Sequence[Node]) -> None:
    """Ask all to stop their servers; a node that does not answer dies with the session."""
    ray.wait([node.actor.stop.remote() for node in nodes], num_returns=len(nodes), timeout=20)
    for node in nodes:
        ray.kill(node.actor)


def activity(node: Node) -> Activity | None:
    """What the node is doing, or None when it does not say at once."""
    try:
        answer: Activity = ray.get(node.actor.activity.remote(), timeout=POLL_S)
    except RayError:
        return None
    return answer


def _create(place: NodePlace) -> Any:
    resources = {name: amount for name, amount in place.resources.items() if name not in ("GPU", "CPU")}
    return (
        ray.remote(InferenceNode)
        .options(
            num_gpus=place.resources.get("GPU", 0),
            num_cpus=place.resources.get("CPU", 0),
            resources=resources,
            max_concurrency=CONCURRENCY,
            scheduling_strategy=NodeAffinitySchedulingStrategy(place.ray_node_id, soft=False),
        )
        .remote(place.name)
    )


def _wait(ref: Any, actor: Any, doing: Callable[[str], None], timeout_s: float) -> Any:
    """The answer; while waiting, what the node is at is passed to `doing`."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        ready, _ = ray.wait([ref], timeout=POLL_S)
        if ready:
            return ray.get(ref)
        asked, _ = ray.wait([answer := actor.activity.remote()], timeout=POLL_S)
        if asked:
            doing(ray.get(answer).text)
    raise NodeFailed(f"An inference node did not answer for {timeout_s:.0f} s.")


def _cause(error: Exception) -> Exception:
    """The error that a node raised, without Ray's wrapping and traceback."""
    cause = getattr(error, "cause", None) or error.__cause__
    if isinstance(cause, LevelfieldError):
        return cause
    return error if isinstance(error, LevelfieldError) else NodeFailed(str(error))
