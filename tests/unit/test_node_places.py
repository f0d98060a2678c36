"""Where inference nodes go on a cluster, from what `ray.nodes()` says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cluster.inference_node import NodeInfo
from cluster.nodes import Nodes
from cluster.progress import RunProgress
from cluster.servers import ServerIdentity, ServerOptions
from cluster.session import STAND_IN, NodePlace, node_places
from shared.errors import NodeFailed


def machine(name: str, *, alive: bool = True, **resources: float) -> dict[str, Any]:
    return {
        "NodeID": f"id-{name}",
        "Alive": alive,
        "NodeManagerAddress": "10.0.0.1",
        "NodeManagerHostname": name,
        "Resources": {"CPU": 4.0, "memory": 1e9, f"node:{name}": 1.0} | resources,
        "Labels": {},
    }


def test_a_node_per_gpu() -> None:
    """Each GPU of each machine is a node of its own; machines without one and stand-ins are left out."""
    found = node_places(
        [machine("a", GPU=2.0), machine("b"), machine("c", GPU=1.0), machine("d", inference_node=1.0)]
    )
    assert found == [
        NodePlace("a/gpu0", "id-a", {"GPU": 1}, 0, 2),
        NodePlace("a/gpu1", "id-a", {"GPU": 1}, 1, 2),
        NodePlace("c/gpu0", "id-c", {"GPU": 1}),
    ]


def test_a_node_per_group_of_gpus() -> None:
    """With `gpus_per_node` a node holds so many of one machine; what is left over is nobody's."""
    machines = [machine("a", GPU=5.0), machine("b", GPU=1.0), machine("c", inference_node=2.0)]
    assert node_places(machines, 2) == [
        NodePlace("a/gpu0", "id-a", {"GPU": 2}, 0, 2),
        NodePlace("a/gpu1", "id-a", {"GPU": 2}, 1, 2),
    ]
    assert node_places(machines[2:], 2) == [NodePlace("c/inference_node0", "id-c", {STAND_IN: 2})]
    with pytest.raises(NodeFailed, match=r"gpus_per_node is 8, but no machine .* the most is 5 of GPU"):
        node_places(machines, 8)


def test_a_node_per_stand_in() -> None:
    """Without any GPU the stand-in resource says how many nodes there are and where."""
    found = node_places([machine("a", **{STAND_IN: 1.0}), machine("b", **{STAND_IN: 2.0}), machine("c")])
    assert [place.name for place in found] == ["a/inference_node0", "b/inference_node0", "b/inference_node1"]
    assert all(place.resources == {STAND_IN: 1} for place in found)


def test_a_node_per_machine() -> None:
    """With neither, each machine that has a CPU to give is a node and holds one CPU."""
    found = node_places([machine("a"), machine("b", CPU=0.5), machine("c")])
    assert found == [NodePlace("a", "id-a", {"CPU": 1}), NodePlace("c", "id-c", {"CPU": 1})]


def test_dead_machines_are_left_out() -> None:
    """Ray lists machines that have gone; they get no node, whatever they had."""
    found = node_places([machine("a", alive=False, GPU=8.0), machine("b")])
    assert found == [NodePlace("b", "id-b", {"CPU": 1})]


def test_machines_of_one_name_are_told_apart() -> None:
    """What the records call a node is one place alone, and one that comes back there is called the same."""
    twins = [
        machine("a", GPU=1.0) | {"NodeID": "1234567890"},
        machine("a", GPU=1.0) | {"NodeID": "abcdefghij"},
    ]
    nodes = Nodes("scripted:instant", ServerOptions(Path()), RunProgress(Console()), list)
    first, second = (nodes._named(place) for place in node_places(twins))
    assert (first.name, second.name) == ("a/gpu0", "a-abcdef/gpu0")
    assert [nodes._named(place).name for place in node_places(twins[::-1])] == [second.name, first.name]


def test_nodes_are_pooled_only_when_they_serve_the_same() -> None:
    """Another digest, version or flag is refused by name; a caveat and other hardware are not."""
    identity = ServerIdentity("m", "m", "sha256:1", "s", "1", 8192, {"threads": 1})
    first = NodeInfo("a", identity, {"cores": 4})
    NodeInfo("b", replace(identity, caveat="c"), {"cores": 8}).require_like(first)
    for changed in ({"digest": "sha256:2"}, {"version": "2"}, {"flags": {"threads": 2}}):
        with pytest.raises(
            NodeFailed, match=f"b serves another model than a: {next(iter(changed))} is .* and not"
        ):
            NodeInfo("b", replace(identity, **changed), {}).require_like(first)


@pytest.mark.parametrize("machines", [[], [machine("a", alive=False)], [machine("a", CPU=0.0)]])
def test_nothing_to_give(machines: list[dict[str, Any]]) -> None:
    """A cluster without a GPU and a CPU is an error that says where to look."""
    with pytest.raises(NodeFailed, match=r"neither a GPU nor a CPU.*ray status"):
        node_places(machines)
