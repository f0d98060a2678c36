"""A machine cut off in the middle of a run is done without, and what it still finishes counts nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.records import Status
from shared.store import Store
from tests.functional.command import FINISH_S, levelfield, research, write_plan
from tests.functional.cut_off_machine import cut_off_machine, namespaces_can_be_made
from tests.functional.faulty_checkout import faulty_checkout
from tests.functional.ray_cluster import ray_cluster, until

pytestmark = [pytest.mark.functional, pytest.mark.timeout(300)]

START_S = 120
LONG_ON_THE_FAR_SIDE = """
    import socket
    if socket.gethostname() == FAR_SIDE:
        open(FOLDER + "/began", "w").close()
        time.sleep(8)
        answer = _run(request)
        open(FOLDER + "/finished", "w").close()
        return answer
    time.sleep(1)
"""


@pytest.mark.skipif(not namespaces_can_be_made(), reason="network namespaces take root and iproute2")
def test_a_machine_cut_off(tmp_path: Path) -> None:
    """Its run goes elsewhere; it finishes that run all the same, which nobody takes; mended, it ends it all."""
    plan = write_plan(
        tmp_path / "plan.yaml",
        frameworks=["direct", "scripted"],
        tasks=research("anthropic", "nvidia", "stripe"),
        settings={"llm_model": "scripted:instant"},
    )
    out = tmp_path / "out"
    with ray_cluster(nodes=1) as cluster, cut_off_machine(cluster) as machine:
        body = LONG_ON_THE_FAR_SIDE.replace("FAR_SIDE", repr(machine.name))
        variables = cluster.variables | {"RAY_ADDRESS": cluster.address} | faulty_checkout(tmp_path, body)
        with levelfield("run", plan, "--out", out, folder=tmp_path, **variables) as command:
            command.wait_until((tmp_path / "began").exists, START_S)
            machine.cut()
            assert command.wait(FINISH_S) == 0, command.output
            assert f"Node {machine.name}/inference_node0 is lost" in command.output
        until((tmp_path / "finished").exists, START_S, "the run that nobody waits for ends")
        machine.mend()
        assert cluster.left_behind(START_S) == []
    far = [record for record in Store(out).attempts() if record.node.startswith(machine.name)]
    assert [record.status for record in far if record.key.framework == "direct"] == [
        Status.INFRASTRUCTURE_ERROR
    ]
    runs = Store(out).runs()
    assert [record.status for record in runs] == [Status.COMPLETED] * 6
    assert sum(record.status is Status.COMPLETED for record in Store(out).attempts()) == 6
