"""A Ray cluster of the test's own, and what runs in it: found by name, broken, and looked for afterwards."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.functional.command import ROOT, clean_environment

MARK = "FAULTY_CLUSTER"
OURS = (
    *("ray::InferenceNode", "ray::FrameworkHost", "ray::JudgeClient"),
    *("cluster.framework_main", "cluster.gateway", "scripted_main"),
)
"""What of an experiment runs in a cluster: none of it may be left when the experiment has ended."""
QUICK = {
    # A machine that is cut off is noticed within seconds instead of a minute, so that the tests are short.
    "RAY_health_check_initial_delay_ms": "2000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
}


class RayCluster:
    """Begun it has an `address`, and one node beside the head for each of `raylets`."""

    def __init__(self, nodes: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lf-"))  # short: sockets are kept in it
        self.variables = QUICK | {
            "RAY_AUTH_MODE": "disabled",
            "RAY_TMPDIR": str(self.folder),
            "RAY_gcs_storage": "rocksdb",
            "RAY_gcs_storage_path": str(self.folder / "gcs"),
        }
        self._log = self.folder / "cluster.txt"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.functional.cluster_main", str(nodes)],
                cwd=ROOT,
                env=clean_environment() | self.variables | {MARK: str(self.folder), "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def begin(self) -> None:
        """Returns when all nodes are there."""
        self._hear()

    def tell(self, what: str) -> None:
        """One of the lines that `cluster_main` understands; returns when it is done."""
        assert self._process.stdin
        self._process.stdin.write(f"{what}\n".encode())
        self._process.stdin.flush()
        self._hear()

    def processes(self, named: str) -> list[psutil.Process]:
        """Of this cluster, and of those that left it, by a part of their command line."""
        found = [process for process in psutil.process_iter() if named in _line(process)]
        below = set(psutil.Process(self._process.pid).children(recursive=True))
        return [process for process in found if process in below or self._is_marked(process)]

    def raylet_of(self, process: psutil.Process) -> int:
        """The number of the node that it runs on."""
        above = {parent.pid for parent in process.parents()}
        return next(number for number, pid in enumerate(self.raylets) if pid in above)

    def left_behind(self, grace_s: float = 30.0) -> list[str]:
        """What of an experiment still runs after `grace_s`."""
        deadline = time.monotonic() + grace_s
        while True:
            left = [f"{each.pid} {_line(each)}" for name in OURS for each in self.processes(name)]
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.3)

    def end(self) -> None:
        tree = psutil.Process(self._process.pid).children(recursive=True)
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)
        for each in [*tree, *(found for found in psutil.process_iter() if self._is_marked(found))]:
            try:
                each.kill()
            except psutil.Error:
                continue
        shutil.rmtree(self.folder, ignore_errors=True)

    def _hear(self) -> None:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, self._log.read_text()
        said: dict[str, Any] = json.loads(line)
        self.address: str = said["address"]
        self.raylets: list[int | None] = said["raylets"]

    def _is_marked(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == str(self.folder)
        except psutil.Error:
            return False


@contextmanager
def ray_cluster(nodes: int) -> Iterator[RayCluster]:
    cluster = RayCluster(nodes)
    try:
        cluster.begin()
        yield cluster
    finally:
        cluster.end()


def until(happened: Callable[[], Any], timeout_s: float, what: str) -> Any:
    """The first true answer."""
    deadline = time.monotonic() + timeout_s
    while not (found := happened()):
        assert time.monotonic() < deadline, f"Not within {timeout_s:.0f} s: {what}"
        time.sleep(0.1)
    return found


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()) if process.status() != psutil.STATUS_ZOMBIE else ""
    except psutil.Error:
        return ""
