"""Where inference nodes go on a cluster, from what `ray.nodes()` says."""

from __future__ import annotations

from typing import Any

import pytest

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
        NodePlace("a/gpu0", "id-a", {"GPU": 1}),
        NodePlace("a/gpu1", "id-a", {"GPU": 1}),
        NodePlace("c/gpu0", "id-c", {"GPU": 1}),
    ]


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


@pytest.mark.parametrize("machines", [[], [machine("a", alive=False)], [machine("a", CPU=0.0)]])
def test_nothing_to_give(machines: list[dict[str, Any]]) -> None:
    """A cluster without a GPU and a CPU is an error that says where to look."""
    with pytest.raises(NodeFailed, match=r"neither a GPU nor a CPU.*ray status"):
        node_places(machines)
