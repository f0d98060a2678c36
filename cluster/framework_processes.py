"""The processes that runs happen in: started ahead with their imports done, used once, ended."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster.framework_worker import BootReport, FrameworkWorker
from cluster.process_tree import end_marked, end_within, stop_and_end_descendants
from runtime_envs.catalog import framework as framework_named
from runtime_envs.catalog import process_variables
from shared.records import Boot

BOOT_TIMEOUT_S = 120.0
"""For a process to start and import its framework: seconds normally; preflight has seen it work."""
END_TIMEOUT_S = 2.0
"""For a process to obey Ray, which takes hundredths of a second."""


@dataclass(frozen=True)
class FrameworkProcess:
    """One process in its framework's environment that nobody used before."""

    worker: Any
    scratch: Path
    boot: Boot
    pid: int

    def end(self) -> None:
        """With all that the framework started: nothing of it is to be there at the next run."""
        if psutil.pid_exists(self.pid):
            stop_and_end_descendants(self.pid)
        else:  # it died by itself, and nobody is the parent of what it left
            end_marked(str(self.scratch))
        ray.kill(self.worker)
        end_within(self.pid, END_TIMEOUT_S)
        shutil.rmtree(self.scratch, ignore_errors=True)


class FrameworkProcesses:
    """Of one node, by the attempt that each is for."""

    def __init__(self, folder: Path, pythons: Mapping[str, str], cores: Collection[int]) -> None:
        """`pythons`: framework -> its environment's interpreter, as far as prepared; `cores`: the node's."""
        self._folder = folder
        self._pythons = pythons
        self._cores = frozenset(cores)
        self._ready: dict[str, FrameworkProcess] = {}
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

    def _started(self, framework: str) -> FrameworkProcess:
        scratch = Path(tempfile.mkdtemp(prefix="run-", dir=self._folder))
        asked = time.monotonic()
        worker = self._new_worker(framework, scratch)
        try:
            adapter = framework_named(framework).adapter
            report: BootReport = ray.get(worker.boot.remote(adapter, self._cores), timeout=BOOT_TIMEOUT_S)
        except RayError:
            ray.kill(worker)
            end_marked(str(scratch))
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        boot = Boot(
            process_s=time.monotonic() - asked - report.import_s,
            import_s=report.import_s,
            versions=report.versions,
            python=report.python,
        )
        return FrameworkProcess(worker, scratch, boot, report.pid)

    def _new_worker(self, framework: str, scratch: Path) -> Any:
        return (
            ray.remote(FrameworkWorker)
            .options(
                num_cpus=0,  # it runs on the node that its caller already holds
                max_restarts=0,
                runtime_env={
                    "py_executable": self._pythons[framework],
                    "env_vars": process_variables(framework_named(framework), scratch),
                },
                scheduling_strategy=NodeAffinitySchedulingStrategy(
                    ray.get_runtime_context().get_node_id(), soft=False
                ),
            )
            .remote()
        )
