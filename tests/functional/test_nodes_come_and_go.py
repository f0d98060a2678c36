"""A real Ray cluster of several machines on this one, while a plan runs: one joins, one is lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from shared.records import Status
from shared.store import Store
from tests.functional.command import levelfield, research, write_plan
from tests.functional.faulty_checkout import faulty_checkout
from tests.functional.ray_cluster import ray_cluster

pytestmark = [pytest.mark.functional, pytest.mark.timeout(600)]

FINISH_S = 300
RUNS = 8
HELD = """
    if request.run_id.split(".")[2] != "0":  # no warm-up
        first = not os.path.exists(FOLDER + "/ran")
        open(FOLDER + ("/ran" if first else "/held"), "w").close()
        while not first and not os.path.exists(FOLDER + "/go"):
            time.sleep(0.05)
"""
"""The second counted run, and those that come meanwhile on other machines, last until the test has done its part."""


def test_a_late_machine_is_used_and_a_lost_one_is_done_without(tmp_path: Path) -> None:
    """One that cannot have the environments is refused, one joins, the first is lost, and no run with it."""
    content = {"frameworks": ["direct", "scripted"], "tasks": research("anthropic", "stripe")}
    plan = write_plan(tmp_path / "plan.yaml", iterations=RUNS // 4, warmups=1, **content)
    out = tmp_path / "out"
    with ray_cluster(nodes=1) as cluster:
        variables = cluster.variables | faulty_checkout(tmp_path, HELD)
        variables |= {"RAY_ADDRESS": cluster.address, "LEVELFIELD_LLM_MODEL": "scripted:instant"}
        with levelfield("run", plan, "--out", out, folder=tmp_path, **variables) as command:
            command.wait_until((tmp_path / "held").exists, FINISH_S)
            cluster.tell("add-node LEVELFIELD_CACHE=/proc/nothing UV_OFFLINE=1")
            command.wait_until(lambda: "is left out" in command.output, FINISH_S)
            cluster.tell("add-node")
            command.wait_until(lambda: "has joined" in command.output, FINISH_S)
            cluster.tell("kill-raylet 0")
            command.wait_until(lambda: "is lost" in command.output, FINISH_S)
            (tmp_path / "go").touch()
            assert command.wait(FINISH_S) == 0, command.output
        assert cluster.left_behind() == []
    store = Store(out)
    runs, tried = store.runs(), list(store.attempts())
    assert Counter(run.status for run in runs) == {Status.COMPLETED: RUNS}
    assert len({run.key for run in runs}) == RUNS
    assert Status.INFRASTRUCTURE_ERROR in {record.status for record in tried}
    nodes = {run.node for run in runs}
    assert len(nodes) == 2
    assert {record.node for record in tried if record.key.iteration == 0} == nodes
    blocks: dict[tuple[str, str, int], set[str]] = {}
    for run in runs:
        blocks.setdefault(run.key.block, set()).add(run.node)
    # The block that the first was at when it was lost goes on elsewhere.
    assert sum(len(found) > 1 for found in blocks.values()) <= 1
