"""A real Ray cluster of several machines on this one, while a plan runs: one joins, one is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from shared.records import Status
from shared.store import Store
from tests.functional.command import ROOT, attempts, clean_environment, levelfield, research, write_plan

pytestmark = [
    pytest.mark.functional,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        "CLUSTER_TESTS" not in os.environ,
        reason="it races a plan against the start of machines, and loses on some: CLUSTER_TESTS=1 runs it",
    ),
]

MARK = "GROWN_CLUSTER"
FINISH_S = 500
RUNS = 64
"""So many that the plan is mostly still under way when the second machine has joined."""


class GrownCluster:
    def __init__(self, folder: Path) -> None:
        self.variables = {
            "RAY_AUTH_MODE": "disabled",
            "RAY_TMPDIR": str(folder),
            # Otherwise it takes half a minute until a lost machine is known to be lost.
            "RAY_health_check_initial_delay_ms": "2000",
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_failure_threshold": "3",
        }
        self._log = folder / "cluster.txt"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.functional.grown_cluster"],
                cwd=ROOT, env=clean_environment() | self.variables | {MARK: str(folder)},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        self.address = self._heard()

    def tell(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        self._heard()

    def end(self) -> None:
        tree = psutil.Process(self._process.pid).children(recursive=True)
        marked = [process for process in psutil.process_iter() if self._is_ours(process)]
        for process in [psutil.Process(self._process.pid), *tree, *marked]:
            try:
                process.kill()
            except psutil.Error:
                continue
        self._process.wait(10)

    def _heard(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline().strip()
        assert line, self._log.read_text()
        return line

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get("RAY_TMPDIR") == self.variables["RAY_TMPDIR"]
        except psutil.Error:
            return False


@pytest.fixture
def cluster() -> Iterator[GrownCluster]:
    folder = Path(tempfile.mkdtemp(prefix="lf-"))  # short: sockets are kept in it
    found = GrownCluster(folder)
    try:
        yield found
    finally:
        found.end()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_late_machine_is_used_and_a_lost_one_is_done_without(cluster: GrownCluster, tmp_path: Path) -> None:
    """One that cannot have the environments is refused, one joins, the first is lost, and no run with it."""
    content = {"frameworks": ["direct", "scripted"], "tasks": research("anthropic", "stripe")}
    plan = write_plan(tmp_path / "plan.yaml", iterations=RUNS // 4, warmups=1, **content)
    out = tmp_path / "out"
    variables = cluster.variables | {
        "RAY_ADDRESS": cluster.address,
        "LEVELFIELD_LLM_MODEL": "scripted:instant",
    }
    with levelfield("run", plan, "--out", out, folder=tmp_path, **variables) as command:
        command.wait_until(lambda: attempts(out) > 2, FINISH_S)
        cluster.tell("add LEVELFIELD_CACHE=/proc/nothing UV_OFFLINE=1")
        command.wait_until(lambda: "is left out" in command.output, FINISH_S)
        cluster.tell("add LEVELFIELD_CACHE= UV_OFFLINE=")
        command.wait_until(lambda: "has joined" in command.output, FINISH_S)
        cluster.tell("kill 0")
        code = command.wait(FINISH_S)
        said = command.output
    assert code == 0, said
    if "is lost" not in said:
        pytest.skip("the plan had ended before the machine was killed")  # each machine is as fast as it is
    assert "is lost: ActorDiedError. Its runs go elsewhere." in said
    store = Store(out)
    runs = store.runs()
    assert Counter(run.status for run in runs) == {Status.COMPLETED: RUNS}
    assert len({run.key for run in runs}) == RUNS
    first, late = dict.fromkeys(run.node for run in runs)
    warm_ups = {record.node for record in store.attempts() if record.key.iteration == 0}
    assert warm_ups == {first, late}
    blocks: dict[tuple[str, str, int], set[str]] = {}
    for run in runs:
        blocks.setdefault(run.key.block, set()).add(run.node)
    # The block that the first was at when it was lost goes on elsewhere.
    assert sum(len(nodes) > 1 for nodes in blocks.values()) <= 1
