"""A Ray cluster of several nodes on this machine, as a process that is told in lines what to break.

`add-node NAME=VALUE ...` adds one with these variables in its environment, and in no other's.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
from typing import Any
from unittest.mock import patch

from ray.cluster_utils import Cluster

from cluster.session import STAND_IN

STORE_BYTES = 80_000_000
CLONE_NEWUTS = 0x04000000
"""linux/sched.h"""


def main() -> None:
    head = _resources({}) | {"include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    address = cluster.address
    nodes: list[Any] = []
    for _ in range(int(sys.argv[1])):
        _add(cluster, nodes)
    _say(_described(address, nodes))
    for line in sys.stdin:
        match line.split():
            case ["kill-raylet", number]:
                nodes[int(number)].kill_raylet()
            case ["add-node", *variables]:
                with patch.dict(os.environ, [variable.split("=", 1) for variable in variables]):
                    _add(cluster, nodes)
            case ["kill-head"]:
                assert cluster.head_node
                cluster.head_node.kill_gcs_server()
            case ["start-head"]:
                assert cluster.head_node
                cluster.head_node.start_gcs_server()
        _say(_described(address, nodes))


def _add(cluster: Cluster, nodes: list[Any]) -> None:
    """Under a host name of its own, as a machine has one; as far as this user may give it."""
    if ctypes.CDLL(None).unshare(CLONE_NEWUTS) == 0:
        socket.sethostname(f"machine{len(nodes)}")
    nodes.append(cluster.add_node(**_resources({STAND_IN: 1})))


def _resources(resources: dict[str, float]) -> dict[str, Any]:
    return {"num_cpus": 2, "resources": resources, "object_store_memory": STORE_BYTES}


def _described(address: str, nodes: list[Any]) -> dict[str, Any]:
    raylets = [[each.process.pid for each in node.all_processes.get("raylet", [])] for node in nodes]
    return {"address": address, "raylets": [pids[0] if pids else None for pids in raylets]}


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
