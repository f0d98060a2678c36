"""The workstation's script, as a user runs it: a Ray with a token, a plan as a job, its status, and an end."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.functional.command import ROOT, clean_environment
from tests.functional.test_ray_job import _free_ports

pytestmark = [pytest.mark.functional, pytest.mark.timeout(300)]

SCRIPT = ROOT / "cluster" / "deploy" / "workstation.sh"
STEP_S = 200


class Workstation:
    """With ports and folders of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        gcs, self.dashboard, client, agent = _free_ports(4)
        self.variables = clean_environment() | {
            "RAY_STATE_DIR": str(folder / "state"),
            "RAY_TMPDIR": str(folder),
            "RAY_PORT": str(gcs),
            "RAY_DASHBOARD_PORT": str(self.dashboard),
            "RAY_CLIENT_PORT": str(client),
            "RAY_AGENT_PORT": str(agent),
        }

    def call(self, *words: str, fails: bool = False) -> str:
        done = subprocess.run(
            [str(SCRIPT), *words], env=self.variables, cwd=self.folder, capture_output=True, text=True,
            timeout=STEP_S, check=False,
        )  # fmt: skip
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def workstation() -> Iterator[Workstation]:
    with tempfile.TemporaryDirectory(prefix="lf-", ignore_cleanup_errors=True) as name:
        here = Workstation(Path(name))
        try:
            yield here
        finally:
            here.call("stop")


def test_from_start_to_report(workstation: Workstation, tmp_path: Path) -> None:
    """Only who has the token gets in; the job writes its report and can be asked for; stop leaves nothing."""
    workstation.call("start")
    assert "is running already" in workstation.call("start")
    address = f"http://127.0.0.1:{workstation.dashboard}"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{address}/api/jobs/", timeout=10)

    assert "There is no plan" in workstation.call("run", "plans/none.yaml", fails=True)
    out = tmp_path / "out"
    assert "succeeded" in workstation.call("run", "plans/dry.yaml", "--out", str(out))
    assert (out / "report.html").is_file()
    assert "SUCCEEDED" in workstation.call("status")
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(workstation.folder / "state" / "token")}
    asked = subprocess.run(
        [sys.executable, "-m", "cluster", "status", address, "--json"],
        env=workstation.variables | token, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    jobs = {job["status"]: job for job in json.loads(asked.stdout)}
    assert sorted(jobs) == ["FAILED", "SUCCEEDED"]
    job = jobs["SUCCEEDED"]
    assert any("Report:" in line for line in job["log"])

    number = int((workstation.folder / "state" / "pid").read_text())
    tree = psutil.Process(number).children(recursive=True)
    workstation.call("stop")
    _, alive = psutil.wait_procs(tree, timeout=30)
    assert alive == []
    assert not psutil.pid_exists(number)
