"""The inference nodes of a session: those there at its start, those that join later, those that are lost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray.exceptions import RayError

from cluster.inference_node import Activity, NodeInfo, PreparedEnvironment
from cluster.node_actors import POLL_S, cause_of, create_actor, end_actors, wait_for
from cluster.progress import RunProgress
from cluster.servers import ServerOptions
from cluster.session import NodePlace, node_places
from shared.errors import EnvironmentFailed, LevelfieldError, NodeFailed

START_TIMEOUT_S = 900.0
"""For a model to be fetched, checked and loaded."""
STOP_TIMEOUT_S = 20.0
LOOK_EVERY_S = 5.0
"""For machines that have joined the cluster."""
ALIKE = ("processor", "cores", "gpus")
"""Of a node's hardware, what makes it faster or slower."""
LOST_AT_MOST = 3
"""How often a place may lose its node before it is left empty."""


@dataclass(frozen=True)
class Node:
    """A running inference node as the driver sees it."""

    place: NodePlace
    actor: Any
    info: NodeInfo

    @property
    def name(self) -> str:
        return self.place.name


@dataclass(frozen=True)
class _Joining:
    place: NodePlace
    actor: Any
    since_s: float


@contextmanager
def serving_nodes(
    setting: str, options: ServerOptions, progress: RunProgress, gpus_per_node: int = 1
) -> Iterator[Nodes]:
    """Inference nodes with the model `setting` wherever Ray has a place for one, stopped afterwards."""

    def places() -> list[NodePlace]:
        return node_places(ray.nodes(), gpus_per_node)  # type: ignore[no-untyped-call]

    progress.stage("Setting up")
    nodes = Nodes(setting, options, progress, places)
    try:
        nodes.start()
        yield nodes
    finally:
        nodes.stop()


class Nodes:
    """Whoever dispatches has it look for more, waits for `joining` among its own, and says who is lost."""

    def __init__(
        self,
        setting: str,
        options: ServerOptions,
        progress: RunProgress,
        places: Callable[[], list[NodePlace]],
    ) -> None:
        """`places`: all that the cluster has at the moment; raises NodeFailed when it has none."""
        self.running: list[Node] = []
        self._setting = setting
        self._options = options
        self._progress = progress
        self._places = places
        self._like: NodeInfo | None = None
        """What the first node says of itself: all others have to be like it."""
        self._wanted: dict[str, str | None] = {}
        """Frameworks that a late node has to have, and what to install of those in a stated version."""
        self._names: dict[tuple[str, int], str] = {}
        """By place: a node that comes back there is called the same."""
        self._joining: dict[Any, _Joining] = {}
        self._left_out: set[tuple[str, int]] = set()
        self._lost: Counter[tuple[str, int]] = Counter()
        self._looked_s = 0.0

    def start(self) -> None:
        """Start all in parallel; those that fail are left out with a warning, unless all fail."""
        places = [self._named(place) for place in self._places()]
        actors = [create_actor(place) for place in places]
        starts = [actor.start.remote(self._setting, self._options) for actor in actors]
        failures = []
        for place, actor, ref in zip(places, actors, starts, strict=True):
            try:
                info: NodeInfo = wait_for(ref, actor, self._progress.doing, START_TIMEOUT_S)
                self._add(Node(place, actor, info))
            except (RayError, LevelfieldError) as error:
                failures.append(cause_of(error))
                self._leave_out(place, actor)
        if not self.running:
            raise failures[0]
        for failure in failures:
            self._progress.warn(f"A node is left out: {failure}")

    def prepare(self, frameworks: Sequence[str], locks: Mapping[str, str]) -> dict[str, PreparedEnvironment]:
        """Build and try each framework's environment on every node.

        A framework that works on none is named and left out; otherwise the nodes are, on which it does not.

        Args:
            frameworks: Their names.
            locks: Of those in a stated version, which the nodes' own catalogue does not have.
        """
        prepared: dict[str, PreparedEnvironment] = {}
        for framework in frameworks:
            lock = locks.get(framework)
            refs = [(node, node.actor.prepare.remote(framework, lock)) for node in self.running]
            answers = [(node, self._prepared(node, ref)) for node, ref in refs]
            failed = [(node, found) for node, found in answers if not isinstance(found, PreparedEnvironment)]
            worked = [found for _, found in answers if isinstance(found, PreparedEnvironment)]
            if worked:
                prepared[framework] = worked[0]
                self._wanted[framework] = lock
                for node, error in failed:
                    self._progress.warn(f"Node {node.name} is left out: {error}")
                    self.running.remove(node)
                    self._leave_out(node.place, node.actor)
            else:
                self._progress.warn(f"{framework} is left out: {failed[0][1]}")
            self._progress.advance()
        if not prepared:
            raise EnvironmentFailed("No framework's environment could be prepared; see the messages above.")
        return prepared

    @property
    def joining(self) -> list[Any]:
        return list(self._joining)

    def look_for_more(self) -> None:
        """Start a node in each place that has none; those that are long in joining are given up."""
        if self.running and time.monotonic() - self._looked_s < LOOK_EVERY_S:
            return
        self._looked_s = time.monotonic()
        for ref, found in list(self._joining.items()):
            if self._looked_s - found.since_s > START_TIMEOUT_S:
                ray.kill(found.actor)
                self._refused(ref, NodeFailed(f"it did not start within {START_TIMEOUT_S:.0f} s."))
        taken = {node.place.key for node in self.running} | {
            each.place.key for each in self._joining.values()
        }
        with suppress(NodeFailed):  # no place at all at the moment
            places = self._places()
            there = {place.key for place in places} | taken
            # A machine that comes back as another to Ray may have its old name.
            self._names = {key: name for key, name in self._names.items() if key in there}
            for place in places:
                if place.key not in taken | self._left_out and self._lost[place.key] < LOST_AT_MOST:
                    self._begin(self._named(place))

    def joined(self, ref: Any) -> Node | None:
        """The node that `ref` of `joining` is for; None when it cannot be used, and says so."""
        found = self._joining[ref]
        try:
            node = Node(found.place, found.actor, ray.get(ref))
        except RayError as error:
            self._refused(ref, cause_of(error))
            return None
        del self._joining[ref]
        self._progress.say(f"Node {node.name} has joined.")
        self._add(node)
        return node

    def lost(self, node: Node) -> None:
        """It does not answer any more. Its place is tried again until it has lost LOST_AT_MOST."""
        if node in self.running:
            self.running.remove(node)
            self._lost[node.place.key] += 1

    def stop(self) -> None:
        """Leave no process behind."""
        waiting = [found.actor for found in self._joining.values()]
        self._joining.clear()
        for actor in waiting:
            ray.kill(actor)
        end_actors([node.actor for node in self.running], STOP_TIMEOUT_S)

    def _begin(self, place: NodePlace) -> None:
        actor = create_actor(place)
        ref = actor.join.remote(self._setting, self._options, self._wanted, self._like)
        self._joining[ref] = _Joining(place, actor, time.monotonic())

    def _add(self, node: Node) -> None:
        """Raises NodeFailed when it is not like the first."""
        self._like = self._like or node.info
        node.info.require_like(self._like)
        self.running.append(node)
        mine, its = node.info.hardware, self._like.hardware
        differing = [name for name in ALIKE if mine.get(name) != its.get(name)]
        if differing:
            told = "; ".join(f"{name}: {mine.get(name)!r}, not {its.get(name)!r}" for name in differing)
            self._progress.warn(
                f"{node.name} is another machine than {self._like.name} ({told}). What is compared runs on "
                "one node, and the report shows nodes apart."
            )

    def _prepared(self, node: Node, ref: Any) -> PreparedEnvironment | Exception:
        try:
            found: PreparedEnvironment | Exception = wait_for(
                ref, node.actor, self._progress.doing, START_TIMEOUT_S
            )
        except (RayError, NodeFailed) as error:
            return cause_of(error)
        return found

    def _refused(self, ref: Any, error: Exception) -> None:
        found = self._joining.pop(ref)
        self._progress.warn(f"Node {found.place.name} is left out: {error}")
        self._leave_out(found.place, found.actor)

    def _leave_out(self, place: NodePlace, actor: Any) -> None:
        self._left_out.add(place.key)
        actor.stop.remote()  # and then it ends, for nobody has a handle any more

    def _named(self, place: NodePlace) -> NodePlace:
        """Machines may share a name; what the records call a node is one place alone."""
        if place.key not in self._names:
            taken = place.name in self._names.values()
            machine, _, slot = place.name.rpartition("/")
            other = f"{machine or slot}-{place.ray_node_id[:6]}{f'/{slot}' if machine else ''}"
            self._names[place.key] = other if taken else place.name
        return replace(place, name=self._names[place.key])


def activities(nodes: Sequence[Node]) -> list[str]:
    """What the nodes are doing; those that do not say at once are left out."""
    refs = [node.actor.activity.remote() for node in nodes]
    ready, _ = ray.wait(refs, num_returns=len(refs), timeout=POLL_S) if refs else ([], [])
    texts = []
    for ref in ready:
        with suppress(RayError):  # its own step says that it is gone
            seen: Activity = ray.get(ref)
            texts.append(seen.describe())
    return texts
