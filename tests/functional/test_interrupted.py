"""Stopped at any moment: nothing stays behind, nothing complete is lost or repeated, the same command goes on."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.command import attempts, finish, levelfield, records, research, write_plan
from tests.functional.found import results_of
from tests.functional.model_service import ModelService, after, model_service

pytestmark = [pytest.mark.functional, pytest.mark.timeout(480)]

START_S = 120
SLOW_CALL_S = 2.0
"""Three of them make a run that is long enough to be interrupted."""
GONE_WITHIN_S = 20
RAYS_OWN = ("ray::DashboardAgent", "ray::RuntimeEnvAgent", "default_worker.py")
RAY_GONE_WITHIN_S = 75
"""Ray's agents, and a worker that it was just starting, spend up to a minute looking for their dead head."""


@pytest.fixture
def service() -> Iterator[ModelService]:
    with model_service() as found:
        yield found


def test_killed_in_the_middle(tmp_path: Path) -> None:
    """After kill -9 no process stays, the same command does only the rest, and all is as if undisturbed."""
    plan = write_plan(
        tmp_path / "plan.yaml",
        frameworks=["direct", "scripted"],
        tasks=research("anthropic", "stripe"),
        iterations=2,
        settings={"llm_model": "scripted:instant"},
    )
    out = tmp_path / "out"
    with levelfield("run", plan, "--out", out, folder=tmp_path) as command:
        command.wait_until(lambda: attempts(out) >= 3, START_S)
        command.kill()
        assert command.left_behind(GONE_WITHIN_S, ignoring=RAYS_OWN) == []
        _resume_after_kill(plan, out, tmp_path)
        assert command.left_behind(RAY_GONE_WITHIN_S) == []
    code, said, _ = finish("run", plan, "--out", tmp_path / "undisturbed", folder=tmp_path)
    assert code == 0, said
    assert results_of(out) == results_of(tmp_path / "undisturbed")


def _resume_after_kill(plan: Path, out: Path, tmp_path: Path) -> None:
    before = records(out)
    done = _status(out, tmp_path)["done"]
    assert 3 <= done < 8
    assert done == attempts(out)

    code, said, _ = finish("run", plan, "--out", out, folder=tmp_path)
    assert code == 0, said
    assert f"Measuring: {8 - done}" in said
    after_all = records(out)
    assert {name: after_all[name] for name in before} == before
    status = _status(out, tmp_path)
    assert (status["done"], status["completed"], status["verdicts"]) == (8, 8, 8)
    assert attempts(out) == 8


def test_ctrl_c_once_finishes_the_run_in_flight(tmp_path: Path, service: ModelService) -> None:
    """One Ctrl-C lets the run in flight end, keeps it, says what is left, and the same command does that."""
    plan, out = _slow_plan(tmp_path, service), tmp_path / "out"
    with levelfield("run", plan, "--out", out, folder=tmp_path, **service.variables) as command:
        command.wait_until(lambda: _asked(service) > 3, START_S)  # the second run is in flight
        command.ctrl_c()
        code = command.wait(60)
        assert command.left_behind(10) == []
        said = command.output
    assert code == 1, said
    assert "Stopping after the run in flight" in said
    assert "2 runs are missing: the same command goes on" in said
    assert "Traceback" not in said
    before = records(out)
    assert attempts(out) == _status(out, tmp_path)["completed"] == 2
    assert (out / "report.html").is_file()

    service.behave = after(0)
    code, said, _ = finish("run", plan, "--out", out, folder=tmp_path, **service.variables)
    assert code == 0, said
    assert {name: content for name, content in records(out).items() if name in before} == before
    assert _status(out, tmp_path)["verdicts"] == 4


def test_a_model_server_or_gateway_killed_in_a_run(tmp_path: Path) -> None:
    """A server of ours that dies in the middle of a run is our failure: it is started again, the run repeated."""
    plan = write_plan(
        tmp_path / "plan.yaml",
        frameworks=["direct"],
        tasks=research("anthropic", "stripe", "datadog"),
        limits={"facts_per_query": 1, "max_tokens": {"researcher": 48, "analyst": 48, "writer": 48}},
    )
    out, scratch = tmp_path / "out", tmp_path / "scratch"
    scratch.mkdir()

    def in_the_middle_of(number: int) -> bool:
        return any(lease.stat().st_size for lease in scratch.glob(f"levelfield-node-*/lease-{number}.jsonl"))

    with levelfield("run", plan, "--out", out, folder=tmp_path, TMPDIR=str(scratch)) as command:
        command.wait_until(lambda: in_the_middle_of(1), START_S)
        for server in command.processes("llamacpp_main"):
            server.kill()
        command.wait_until(lambda: attempts(out) >= 2, START_S)
        for gateway in command.processes("cluster.gateway"):
            gateway.kill()
        code = command.wait(120)
        assert command.left_behind(10) == []
        said = command.output
    assert code == 0, said
    assert "infrastructure_error" in said
    assert "Traceback" not in said
    status = _status(out, tmp_path)
    assert (status["done"], status["completed"]) == (3, 3)
    assert attempts(out) > 3


def test_ctrl_c_twice_and_sigterm_stop_at_once(tmp_path: Path, service: ModelService) -> None:
    """A second Ctrl-C, and likewise SIGTERM, ends everything within seconds and loses at most one run."""
    plan, out = _slow_plan(tmp_path, service), tmp_path / "out"
    with levelfield("run", plan, "--out", out, folder=tmp_path, **service.variables) as command:
        command.wait_until(lambda: _asked(service) > 3, START_S)
        command.ctrl_c()
        command.wait_until(lambda: "Stopping after the run in flight" in command.output, 10)
        command.ctrl_c()
        code = command.wait(10)
        assert command.left_behind(10) == []
        _stopped(code, command.output)
    assert attempts(out) == 1
    before = records(out)

    asked = _asked(service)
    with levelfield("run", plan, "--out", out, folder=tmp_path, **service.variables) as command:
        command.wait_until(lambda: _asked(service) > asked + 3, START_S)
        command.send(signal.SIGTERM)
        code = command.wait(15)
        assert command.left_behind(10) == []
        _stopped(code, command.output)
    assert attempts(out) == 2

    service.behave = after(0)
    code, said, _ = finish("run", plan, "--out", out, folder=tmp_path, **service.variables)
    assert code == 0, said
    assert {name: content for name, content in records(out).items() if name in before} == before
    assert attempts(out) == _status(out, tmp_path)["completed"] == 4


def _slow_plan(folder: Path, service: ModelService) -> Path:
    service.behave = after(SLOW_CALL_S)
    return write_plan(
        folder / "plan.yaml",
        frameworks=["direct"],
        tasks=research("anthropic", "stripe"),
        iterations=2,
        probes=False,  # so that what the service is asked are runs
    )


def _asked(service: ModelService) -> int:
    """By agents; the judge asks between the runs."""
    return sum("response_format" not in body for body in service.server.bodies)


def _stopped(code: int, said: str) -> None:
    assert code == 130, said
    assert "Stopped. What was complete is kept; the same command goes on." in said
    assert "Traceback" not in said


def _status(out: Path, folder: Path) -> dict[str, int]:
    code, said, _ = finish("status", out, "--json", folder=folder)
    assert code == 0, said
    found: dict[str, int] = json.loads(said)
    return found
