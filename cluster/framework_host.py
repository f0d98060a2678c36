"""A Ray actor in a framework's environment, one on each node: it starts and speaks with each run's process.

Ray enters the environment once; a run's own process is a bare interpreter of it, without Ray.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

from cluster.framework_worker import BootReport, WorkerResult
from cluster.own_cores import keep_to
from shared.contract import RunRequest

ROOT = Path(__file__).resolve().parent.parent
LOOK_S = 0.2
"""Between two looks at whether a process that has not answered is still there."""
RAYS_OWN = "RAY_"
"""Variables that a framework has no use for, the cluster's token among them."""


class ProcessDied(Exception):
    """A run's process ended without an answer, or its framework cannot be imported."""


class FrameworkHost:
    """Its threads are as many as runs may be started at once, and live as long as it does."""

    def __init__(self, cores: Collection[int]) -> None:
        """`cores`: the node's; whatever is started here keeps to them."""
        keep_to(cores)
        self._children: dict[int, _Child] = {}

    def start(self, module: str, variables: Mapping[str, str]) -> BootReport:
        """A fresh process that has imported the adapter `module`. Raises ProcessDied."""
        child = _Child(variables)
        try:
            report: BootReport = child.ask(module)
        except BaseException:
            child.end()
            raise
        self._children[report.pid] = child
        return report

    def execute(self, pid: int, request: RunRequest) -> WorkerResult:
        """The run of a process that `start` made. Raises ProcessDied."""
        result: WorkerResult = self._children[pid].ask(request)
        return result

    def end(self, pid: int) -> None:
        """Returns when the process is gone; it may have been before."""
        self._children.pop(pid).end()


class _Child:
    """`framework_main` in a process of its own."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(RAYS_OWN)}
        self._pipe, theirs = Pipe()
        with theirs:
            ends = (str(theirs.fileno()), str(os.getpid()))
            self._process = subprocess.Popen(
                # -P: modules in the folder that the user happens to be in are none of the framework's.
                [sys.executable, "-P", "-m", "cluster.framework_main", *ends],
                env={**kept, "PYTHONPATH": os.pathsep.join(paths), **variables},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a Ctrl-C in the terminal is the driver's to handle
            )

    def ask(self, question: Any) -> Any:
        """Its answer; a text says why there is none. Raises ProcessDied."""
        try:
            self._pipe.send(question)
            # What it leaves behind may hold the other end of the pipe open: its own end is looked for, too.
            while not self._pipe.poll(LOOK_S) and self._process.poll() is None:
                pass
            answer = self._pipe.recv() if self._pipe.poll() else None
        except (EOFError, OSError):
            answer = None
        if answer is None:
            answer = f"It ended with status {self._process.wait()}."
        if isinstance(answer, str):
            raise ProcessDied(answer)
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._pipe.close()
