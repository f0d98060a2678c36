"""The processes that runs happen in: started ahead with their imports done, used once, ended."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster.framework_host import FrameworkHost
from cluster.framework_worker import BootReport, WorkerResult
from cluster.process_tree import end_marked, end_tree, is_dead, stop_and_end_descendants
from cluster.schedule import STARTED_AT_ONCE
from runtime_envs.catalog import framework as framework_named
from runtime_envs.catalog import process_variables
from shared.contract import RunRequest
from shared.records import Boot

BOOT_TIMEOUT_S = 120.0
"""For a process to start and import its framework: seconds normally; preflight has seen it work."""
END_TIMEOUT_S = 2.0
"""For a process to be gone, which takes hundredths of a second."""
HOST_THREADS = STARTED_AT_ONCE + 2
"""More than processes wait on a node: none is kept from starting or ending."""


@dataclass(frozen=True)
class FrameworkProcess:
    """One process in its framework's environment that nobody used before."""

    host: Any
    scratch: Path
    boot: Boot
    pid: int

    def execute(self, request: RunRequest, timeout_s: float) -> WorkerResult:
        """Raises GetTimeoutError when it takes longer, another RayError when it dies."""
        result: WorkerResult = ray.get(self.host.execute.remote(self.pid, request), timeout=timeout_s)
        return result

    def end(self) -> None:
        """With all that the framework started: nothing of it is to be there at the next run."""
        if is_dead(self.pid):  # by itself, and nobody is the parent of what it left
            end_marked(str(self.scratch))
        else:
            stop_and_end_descendants(self.pid)
        try:
            ray.get(self.host.end.remote(self.pid), timeout=END_TIMEOUT_S)
        except RayError:
            end_tree(self.pid)
        shutil.rmtree(self.scratch, ignore_errors=True)


class FrameworkProcesses:
    """Of one node, by the attempt that each is for."""

    def __init__(self, folder: Path, pythons: Mapping[str, str], cores: Collection[int]) -> None:
        """`pythons`: framework -> its environment's interpreter, as far as prepared; `cores`: the node's."""
        self._folder = folder
        self._pythons = pythons
        self._cores = frozenset(cores)
        self._ready: dict[str, FrameworkProcess] = {}
        self._hosts: dict[str, Any] = {}
        """By interpreter."""
        self._making_host = threading.Lock()
        # Half of the cores: the model may be judging meanwhile, and imports of one framework are not to be
        # slowed by another's.
        self._at_once = max(1, len(self._cores) // 2)

    def start(self, wanted: Iterable[tuple[str, str]], note: Callable[[str], None]) -> None:
        """Start a process for each (attempt id, framework). One that fails is tried again by `take`."""

        def start_one(attempt_id: str, framework: str) -> None:
            note(f"starting {framework}")
            try:
                self._ready[attempt_id] = self._started(framework)
            except RayError:
                return

        with ThreadPoolExecutor(self._at_once) as pool:
            for attempt_id, framework in wanted:
                pool.submit(start_one, attempt_id, framework)

    def take(self, attempt_id: str, framework: str) -> FrameworkProcess:
        """The attempt's process, started now if it is not there. Raises RayError when it does not come up."""
        return self._ready.pop(attempt_id, None) or self._started(framework)

    def end(self) -> None:
        for process in self._ready.values():
            process.end()
        self._ready.clear()
        for host in self._hosts.values():
            ray.kill(host)
        self._hosts.clear()

    def _started(self, framework: str) -> FrameworkProcess:
        host = self._host(self._pythons[framework])
        scratch = Path(tempfile.mkdtemp(prefix="run-", dir=self._folder))
        found = framework_named(framework)
        asked = time.monotonic()
        starting = host.start.remote(found.adapter, process_variables(found, scratch))
        try:
            report: BootReport = ray.get(starting, timeout=BOOT_TIMEOUT_S)
        except RayError as error:
            if isinstance(error, RayActorError):
                self._hosts.pop(self._pythons[framework], None)
            end_marked(str(scratch))
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        boot = Boot(
            process_s=time.monotonic() - asked - report.import_s,
            import_s=report.import_s,
            versions=report.versions,
            python=report.python,
        )
        return FrameworkProcess(host, scratch, boot, report.pid)

    def _host(self, python: str) -> Any:
        """There from its environment's first process on. Raises RayError when it does not come up."""
        with self._making_host:
            if python not in self._hosts:
                host: Any = (
                    ray.remote(FrameworkHost)
                    .options(
                        num_cpus=0,  # it runs on the node that its caller already holds
                        max_restarts=0,
                        max_concurrency=HOST_THREADS,
                        runtime_env={"py_executable": python},
                        scheduling_strategy=NodeAffinitySchedulingStrategy(
                            ray.get_runtime_context().get_node_id(), soft=False
                        ),
                    )
                    .remote(self._cores)
                )
                ray.get(host.__ray_ready__.remote(), timeout=BOOT_TIMEOUT_S)
                self._hosts[python] = host
            return self._hosts[python]
