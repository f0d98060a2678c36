"""`python -m tests.functional.grown_cluster`: a Ray cluster on this machine, of machines that come and go.

Says its address, and then does what it is told in lines, saying "done" after each: `add NAME=VALUE ...` adds a
machine with these variables in its environment, `kill N` kills the raylet of the N-th one, from 0.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from ray.cluster_utils import Cluster

from cluster.session import STAND_IN

STORE_BYTES = 80_000_000


def main() -> None:
    cluster = Cluster(initialize_head=True, head_node_args=_machine({}))
    machines = [cluster.add_node(**_machine({STAND_IN: 1}))]
    _say(cluster.address)
    for line in sys.stdin:
        what, *details = line.split()
        if what == "add":
            os.environ.update(detail.split("=", 1) for detail in details)
            machines.append(cluster.add_node(**_machine({STAND_IN: 1})))
        else:
            machines[int(details[0])].kill_raylet()
        _say("done")


def _machine(resources: dict[str, float]) -> dict[str, Any]:
    return {"num_cpus": 2, "resources": resources, "object_store_memory": STORE_BYTES}


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
