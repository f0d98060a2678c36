"""Whatever dies in a cluster: nothing complete is lost or repeated, nothing stays behind, the results are equal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from shared.records import Status
from shared.store import Store
from tests.functional.command import FINISH_S, Command, attempts, levelfield, records, research, write_plan
from tests.functional.faulty_checkout import faulty_checkout
from tests.functional.found import results_of
from tests.functional.ray_cluster import RayCluster, ray_cluster, until

pytestmark = [pytest.mark.functional, pytest.mark.timeout(300)]

START_S = 120
HELD = """
    while os.path.exists(FOLDER + "/hold") and request.run_id.startswith("company_research.stripe.2."):
        with open(FOLDER + "/held", "w") as held:
            held.write(str(os.getpid()))
        time.sleep(0.05)
"""
"""One run of `direct` lasts as long as the test holds it; the others go on meanwhile."""
A_RUNS_PROCESS = "cluster.framework_main"


@dataclass(frozen=True)
class Setting:
    """A plan, the code in which a run can be held, and what comes of it undisturbed."""

    cluster: RayCluster
    plan: Path
    variables: dict[str, str]
    undisturbed: dict[str, Any]

    def run(self, out: Path) -> Any:
        return levelfield("run", self.plan, "--out", out, folder=self.plan.parent, **self.variables)

    @contextmanager
    def held(self) -> Iterator[Path]:
        """While this file is there, or to the end of the block, the run that can be held is."""
        hold = self.plan.parent / "hold"
        hold.touch()
        try:
            yield hold
        finally:
            hold.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    folder = tmp_path_factory.mktemp("cluster")
    plan = write_plan(
        folder / "plan.yaml",
        frameworks=["direct", "scripted"],
        tasks=research("anthropic", "stripe"),
        iterations=2,
        settings={"llm_model": "scripted:instant"},
    )
    with ray_cluster(nodes=2) as cluster:
        variables = cluster.variables | {"RAY_ADDRESS": cluster.address} | faulty_checkout(folder, HELD)
        setting = Setting(cluster, plan, variables, {})
        with setting.run(folder / "undisturbed") as command:
            assert command.wait(FINISH_S) == 0, command.output
        setting.undisturbed.update(results_of(folder / "undisturbed"))
        assert cluster.left_behind() == []
        yield setting


def test_framework_process_and_node_killed(setting: Setting, tmp_path: Path) -> None:
    """Either takes its run along: the attempt is on record as ours to lose, and the run is repeated."""
    with setting.held() as hold, setting.run(tmp_path / "out") as command:
        _in_a_run(setting, command).kill()
        command.wait_until(lambda: "process died" in command.output, START_S)
        number = setting.cluster.raylet_of(_in_a_run(setting, command))
        nodes = setting.cluster.processes("ray::InferenceNode")
        next(node for node in nodes if setting.cluster.raylet_of(node) == number).kill()
        command.wait_until(lambda: "is lost" in command.output, START_S)
        hold.unlink()
        assert command.wait(FINISH_S) == 0, command.output
    _as_undisturbed(setting, tmp_path / "out", lost=2)


def test_driver_and_machine_killed(setting: Setting, tmp_path: Path) -> None:
    """With the driver all that it had on the cluster ends, and the same command does only the rest.

    A machine that dies meanwhile takes its run and its processes along; the other machine does the rest.
    """
    out = tmp_path / "out"
    with setting.held(), setting.run(out) as command:
        command.wait_until(lambda: attempts(out) >= 2, START_S)
        _in_a_run(setting, command)
        command.kill()
        assert setting.cluster.left_behind() == []
    before = records(out)
    assert before
    with setting.held() as hold, setting.run(out) as command:
        number = setting.cluster.raylet_of(_in_a_run(setting, command))
        setting.cluster.tell(f"kill-raylet {number}")
        try:
            command.wait_until(lambda: "is lost" in command.output, START_S)
            hold.unlink()
            assert command.wait(FINISH_S) == 0, command.output
        finally:
            setting.cluster.tell("add-node")  # for the next test
    assert {name: content for name, content in records(out).items() if name in before} == before
    _as_undisturbed(setting, out, lost=1)


def test_head_killed_and_started_again(setting: Setting, tmp_path: Path) -> None:
    """With its state in RocksDB the head may die in the middle: the experiment goes on when it is back."""
    out = tmp_path / "out"
    with setting.held() as hold, setting.run(out) as command:
        command.wait_until(lambda: attempts(out) >= 2, START_S)
        _in_a_run(setting, command)
        setting.cluster.tell("kill-head")
        setting.cluster.tell("start-head")
        hold.unlink()
        assert command.wait(FINISH_S) == 0, command.output
    _as_undisturbed(setting, out, lost=0)


def _in_a_run(setting: Setting, command: Command) -> psutil.Process:
    """The process of the run that is held."""
    held = setting.plan.parent / "held"

    def running() -> psutil.Process | None:
        assert "Report:" not in command.output, command.output
        number = held.read_text(encoding="utf-8") if held.exists() else ""
        found = setting.cluster.processes(A_RUNS_PROCESS)
        return next((process for process in found if str(process.pid) == number), None)

    found: psutil.Process = until(running, START_S, command.output)
    return found


def _as_undisturbed(setting: Setting, out: Path, *, lost: int) -> None:
    """Equal in everything but times, with `lost` attempts more, and nothing of it left on the cluster."""
    assert setting.cluster.left_behind() == []
    assert results_of(out) == setting.undisturbed
    statuses = [record.status for record in Store(out).attempts()]
    assert statuses.count(Status.COMPLETED) == len(setting.undisturbed["runs"])
    assert statuses.count(Status.INFRASTRUCTURE_ERROR) == len(statuses) - len(setting.undisturbed["runs"])
    assert statuses.count(Status.INFRASTRUCTURE_ERROR) == lost
