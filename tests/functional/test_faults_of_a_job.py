"""A submitted job whose driver dies: Ray says so, nothing of it stays, and submitting it again goes on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil
import pytest

from shared.records import Status
from shared.store import Store
from tests.functional.command import attempts, records, research, write_plan
from tests.functional.faulty_checkout import faulty_checkout
from tests.functional.ray_cluster import OURS, until
from tests.functional.test_ray_job import JOB_S, RAY, Head, _wait_for
from tests.functional.test_ray_job import head as head  # noqa: PLC0414 - a fixture

pytestmark = [pytest.mark.functional, pytest.mark.timeout(300)]

START_S = 120
HELD = """
    first = not os.path.exists(FOLDER + "/ran")
    open(FOLDER + "/ran", "w").close()
    while not first and os.path.exists(FOLDER + "/hold"):
        time.sleep(0.05)
"""
"""The job's second run of `direct` lasts until the driver is gone."""


def test_the_jobs_driver_killed(head: Head, tmp_path: Path) -> None:
    """Complete runs are kept as they are, the rest is done by the second job."""
    faulty_checkout(tmp_path, HELD)
    checkout, out = tmp_path / "checkout", tmp_path / "out"
    write_plan(
        checkout / "plan.yaml",
        frameworks=["direct", "scripted"],
        tasks=research("anthropic", "stripe"),
        settings={"llm_model": "scripted:instant"},
    )
    (tmp_path / "hold").touch()
    _wait_for(head)
    job = ["--", "python", "-m", "cluster", "plan.yaml", "--out", str(out)]
    _ray(head, checkout, "submit", "--no-wait", "--submission-id", "first", "--working-dir", ".", *job)
    until(lambda: attempts(out) >= 1, START_S, "the first run of the job")
    for driver in _running(head, str(out)):
        driver.kill()
    until(
        lambda: "'first' failed" in _ray(head, checkout, "status", "first"), START_S, "Ray sees the job fail"
    )
    until(lambda: not any(_running(head, name) for name in OURS), START_S, "what the job had ends")
    (tmp_path / "hold").unlink()
    before = records(out)
    assert before

    said = _ray(head, checkout, "submit", "--submission-id", "second", "--working-dir", ".", *job)
    assert "succeeded" in said
    assert {name: content for name, content in records(out).items() if name in before} == before
    assert [record.status for record in Store(out).attempts()] == [Status.COMPLETED] * 4


def _ray(head: Head, folder: Path, what: str, *words: str) -> str:
    command = [RAY, "job", what, "--address", head.address, *words]
    done = subprocess.run(
        command, cwd=folder, env=head.variables, capture_output=True, text=True, timeout=JOB_S, check=False
    )
    assert done.returncode == 0 or what == "status", done.stdout + done.stderr
    return done.stdout + done.stderr


def _running(head: Head, named: str) -> list[psutil.Process]:
    """Of this head, by a part of the command line."""
    found = []
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
            ours = process.environ().get("RAY_TMPDIR") == str(head.folder) or str(head.folder) in line
            below = any(str(head.folder) in " ".join(parent.cmdline()) for parent in process.parents())
        except psutil.Error:
            continue
        if named in line and (ours or below) and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found
