"""The main job submitted to a Ray that is already running, as `ray job submit` uploads it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.functional.command import ROOT, clean_environment

pytestmark = [pytest.mark.functional, pytest.mark.timeout(300)]

BIN = Path(sys.executable).parent
RAY = str(BIN / "ray")
START_S = 90
JOB_S = 180
UPLOAD_BYTES = 6_000_000
"""Code and locks are about four; what was planted, let alone an environment or a history, is more beside it."""
# What a checkout has beside the code, in the size that would be noticed.
NOT_CODE = (".venv/lib", ".git/objects", ".uv", "results/old", ".mypy_cache", ".ruff_cache")


@dataclass(frozen=True)
class Head:
    """A Ray of the test's own, beside any other on this machine."""

    address: str
    folder: Path
    variables: dict[str, str]


@pytest.fixture
def head() -> Iterator[Head]:
    folder = Path(tempfile.mkdtemp(prefix="lf-"))  # short: sockets are kept in it
    gcs, dashboard, client, agent = _free_ports(4)
    variables = clean_environment() | {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "RAY_TMPDIR": str(folder),
        "RAY_AUTH_MODE": "disabled",
    }
    command = [RAY, "start", "--head", "--block", "--include-dashboard=true", "--disable-usage-stats"]
    command += [f"--port={gcs}", f"--dashboard-port={dashboard}"]
    command += [f"--ray-client-server-port={client}", f"--temp-dir={folder}/ray"]
    command += [f"--dashboard-agent-listen-port={agent}", "--min-worker-port=0"]
    command += ["--max-worker-port=0"]
    log = (folder / "head.txt").open("wb")
    # With --block it is one process of ours, so that what is stopped afterwards is this cluster alone.
    with (
        log,
        subprocess.Popen(
            command, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder
        ) as process,
    ):
        try:
            yield Head(f"http://127.0.0.1:{dashboard}", folder, variables)
        finally:
            _end(process)
            shutil.rmtree(folder, ignore_errors=True)


def test_submitted_job_writes_its_report(head: Head, tmp_path: Path) -> None:
    """`ray job submit --working-dir .` uploads code alone, runs the plan on that Ray and leaves the report."""
    checkout = _checkout(tmp_path / "checkout")
    out = tmp_path / "out"
    _wait_for(head)
    submit = [RAY, "job", "submit", "--address", head.address, "--working-dir", "."]
    submit += ["--", "python", "-m", "cluster", "plans/dry.yaml", "--out", str(out)]
    done = subprocess.run(
        submit, cwd=checkout, env=head.variables, capture_output=True, text=True, timeout=JOB_S, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "succeeded" in said
    assert "Traceback" not in said
    report = json.loads((out / "report.json").read_text())
    assert report["frameworks"]["direct"]["n"] == 4
    assert (out / "report.html").is_file()

    unpacked = _unpacked(head)
    assert (unpacked / "cluster" / "run_plan.py").is_file()
    files = (path.relative_to(unpacked) for path in unpacked.rglob("*") if path.is_file())
    # The job writes its own byte code there, where the machine lets it.
    uploaded = {path for path in files if "__pycache__" not in path.parts}
    planted = [path for path in uploaded if path.name == "planted.bin"]
    assert planted == []
    assert not {path.parts[0] for path in uploaded} & {"benchmarks", "docs", "tests"}
    assert sum((unpacked / path).stat().st_size for path in uploaded) < UPLOAD_BYTES


def _checkout(folder: Path) -> Path:
    """What git tracks and what is new, and beside it a megabyte of everything that should stay at home."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, timeout=30,
    ).stdout  # fmt: skip
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for name in NOT_CODE:
        (folder / name).mkdir(parents=True)
        (folder / name / "planted.bin").write_bytes(os.urandom(1_000_000))
    return folder


def _unpacked(head: Head) -> Path:
    """Where Ray has unpacked the upload."""
    found = sorted(head.folder.glob("ray/session_2*/runtime_resources/working_dir_files/*/cluster"))
    assert found, "no working dir was unpacked"
    return found[0].parent


def _wait_for(head: Head) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            urllib.request.urlopen(f"{head.address}/api/version", timeout=5).close()
        except OSError:
            assert time.monotonic() < deadline, (head.folder / "head.txt").read_text()
            time.sleep(0.5)
        else:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    """`ray stop` would stop every Ray of this user."""
    tree = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
    for left in psutil.wait_procs(tree, timeout=5)[1]:
        left.kill()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
