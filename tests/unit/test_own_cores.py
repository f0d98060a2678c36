"""Which cores a node of a machine has, and that its processes and the load that is measured keep to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.kernel_counters import read_processors
from cluster.own_cores import share_of
from tests.functional.command import ROOT


@pytest.mark.parametrize(("cores", "nodes"), [(8, 1), (8, 2), (9, 4), (64, 8)])
def test_nodes_share_a_machine_and_no_core(cores: int, nodes: int) -> None:
    """Each has as many as the others, and none has another's."""
    shares = [share_of(range(cores), index, nodes, sibling=lambda core: core) for index in range(nodes)]
    assert [len(share) for share in shares] == [cores // nodes] * nodes
    assert len(frozenset().union(*shares)) == nodes * (cores // nodes)


def test_siblings_stay_together() -> None:
    """Two of the kernel's numbers for one physical core, half of the numbers apart, go to one node."""
    assert share_of(range(8), 0, 2, sibling=lambda core: core % 4) == {0, 4, 1, 5}


def test_fewer_cores_than_nodes_are_shared() -> None:
    """Then no node can have its own, and each may use all."""
    assert share_of([3, 5], 2, 3) == {3, 5}


def test_a_process_keeps_to_its_cores_with_all_that_it_starts() -> None:
    """Threads that are there already, and a child, have the core that was given and no other."""
    code = """
import json, os, subprocess, sys, threading
from cluster.own_cores import keep_to
end = threading.Event()
thread = threading.Thread(target=end.wait)
thread.start()
keep_to({min(os.sched_getaffinity(0))})
child = subprocess.run(
    [sys.executable, "-c", "import os; print(sorted(os.sched_getaffinity(0)))"], capture_output=True, text=True
)
found = {"thread": sorted(os.sched_getaffinity(thread.native_id)), "child": json.loads(child.stdout)}
end.set()
print(json.dumps(found))
"""
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    first = [min(os.sched_getaffinity(0))]
    assert json.loads(said.stdout) == {"thread": first, "child": first}


def test_the_load_is_that_of_the_nodes_own_cores(tmp_path: Path) -> None:
    """Of four processors two are the node's: what the others do is no work of theirs."""
    tick = os.sysconf("SC_CLK_TCK")
    lines = [
        f"cpu{n} {busy * tick} 0 0 {(10 - busy) * tick} 0 0 0 0 0 0" for n, busy in enumerate((1, 2, 9, 9))
    ]
    total = f"cpu {21 * tick} 0 0 {19 * tick} 0 0 0 0 0 0"
    (tmp_path / "stat").write_text("\n".join([total, *lines, "intr 1"]))
    own, everybody = read_processors(tmp_path, {0, 1}), read_processors(tmp_path, {0, 1, 2, 3})
    assert (own.busy_s, own.total_s, own.processors) == (3, 20, 2)
    assert (everybody.busy_s, everybody.total_s, everybody.processors) == (21, 40, 4)
    assert read_processors(tmp_path) == everybody
