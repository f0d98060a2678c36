"""A machine of a Ray cluster behind a network of its own, which can be cut and mended."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from cluster.session import STAND_IN
from tests.functional.cluster_main import STORE_BYTES
from tests.functional.command import clean_environment
from tests.functional.ray_cluster import MARK, RayCluster, until

RAY = str(Path(sys.executable).parent / "ray")
SUBNET = "10.213.77"
START_S = 120.0
JOINED = "This command will now block"
"""What `ray start --block` says once its node is in the cluster."""
RESOURCES = json.dumps({STAND_IN: 1})


class CutOffMachine:
    """In a network namespace; its processes carry the cluster's mark."""

    def __init__(self, cluster: RayCluster) -> None:
        number = os.getpid() % 10_000
        self._name, self._link, self._far = f"lf{number}", f"lfa{number}", f"lfb{number}"
        self._cluster = cluster
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        _ip("netns", "add", self._name)
        _ip("link", "add", self._link, "type", "veth", "peer", "name", self._far, "netns", self._name)
        _ip("address", "add", f"{SUBNET}.1/24", "dev", self._link)
        _ip("link", "set", self._link, "up")
        _ip("-n", self._name, "address", "add", f"{SUBNET}.2/24", "dev", self._far)
        for device in ("lo", self._far):
            _ip("-n", self._name, "link", "set", device, "up")
        _ip("-n", self._name, "route", "add", "default", "via", f"{SUBNET}.1")
        start = f"{RAY} start --address={self._cluster.address} --node-ip-address={SUBNET}.2 --block"
        options = f"--num-cpus=2 --resources='{RESOURCES}' --min-worker-port=0 --max-worker-port=0"
        script = f"hostname {self._name} && exec {start} {options} --object-store-memory={STORE_BYTES}"
        said = self._cluster.folder / "machine.txt"
        with said.open("wb") as log:
            self._process = subprocess.Popen(
                ["ip", "netns", "exec", self._name, "unshare", "--uts", "sh", "-c", script],
                env=clean_environment() | self._cluster.variables | {MARK: str(self._cluster.folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(lambda: JOINED in said.read_text(), START_S, "the machine joins")

    @property
    def name(self) -> str:
        """Also its host name."""
        return self._name

    def cut(self) -> None:
        _ip("link", "set", self._link, "down")

    def mend(self) -> None:
        _ip("link", "set", self._link, "up")

    def end(self) -> None:
        if self._process:
            tree = (
                psutil.Process(self._process.pid).children(recursive=True)
                if self._process.poll() is None
                else []
            )
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
            for each in tree:
                try:
                    each.kill()
                except psutil.Error:
                    continue
        subprocess.run(["ip", "netns", "delete", self._name], capture_output=True, timeout=10, check=False)


@contextmanager
def cut_off_machine(cluster: RayCluster) -> Iterator[CutOffMachine]:
    machine = CutOffMachine(cluster)
    try:
        machine.begin()
        yield machine
    finally:
        machine.end()


def namespaces_can_be_made() -> bool:
    if os.geteuid() or not shutil.which("ip") or not shutil.which("unshare"):
        return False
    done = subprocess.run(["unshare", "--net", "--uts", "true"], capture_output=True, timeout=10, check=False)
    return done.returncode == 0


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
