"""The actor of an inference node: make one in its place, wait for its answers, end it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster.inference_node import InferenceNode
from cluster.session import NodePlace
from shared.errors import LevelfieldError, NodeFailed

CONCURRENCY = 4
"""Threads of a node's actor: one measures, the others answer about progress."""
POLL_S = 0.5


def create_actor(place: NodePlace) -> Any:
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
        .remote(place.name, place.index, place.of)
    )


def wait_for(ref: Any, actor: Any, doing: Callable[[str], None], timeout_s: float) -> Any:
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


def cause_of(error: Exception) -> Exception:
    """The error that a node raised, without Ray's wrapping and traceback."""
    cause = getattr(error, "cause", None) or error.__cause__
    if isinstance(cause, LevelfieldError):
        return cause
    return error if isinstance(error, LevelfieldError) else NodeFailed(str(error))


def end_actors(actors: list[Any], timeout_s: float) -> None:
    """Ask all to stop their servers; one that does not answer dies as it is."""
    if actors:
        ray.wait([actor.stop.remote() for actor in actors], num_returns=len(actors), timeout=timeout_s)
    for actor in actors:
        ray.kill(actor)
