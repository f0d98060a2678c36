"""The three-agent task as a node carries it out: lease, `direct` through the gateway, record, store.

The steps of `InferenceNode` and of the driver in one process, without Ray, so that what is counted is ours:
the framework's side, the gateway with its journal, and what becomes of the run on disk.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from pathlib import Path

from benchmarks.child import Message, answer_lines
from benchmarks.cpu_task import SEED, TEMPERATURE, agents_of
from cluster.framework_worker import FrameworkWorker
from cluster.leased_run import leased_run
from cluster.run_job import RunJob
from cluster.run_record import run_record
from cluster.schedule import Assignment
from cluster.servers import ServerOptions
from cluster.serving import Serving
from runtime_envs.catalog import framework
from shared.contract import AgentSpec
from shared.errors import InternalError
from shared.plan import Limits
from shared.records import RunKey, Status
from shared.store import Store
from shared.trace import new_trace


class Harness:
    """A node and a driver, as far as a run of `direct` needs them."""

    def __init__(self, base_url: str, model: str, agents: tuple[AgentSpec, ...], folder: Path) -> None:
        self._agents = agents
        self._store = Store(folder / "experiment")
        options = ServerOptions(log_dir=folder, base_url=base_url)
        self._serving = Serving(f"openai:{model}", options, folder)
        atexit.register(self._serving.stop)
        self._worker = FrameworkWorker()
        self._worker.boot(framework("direct").adapter)
        self._number = 0

    def carry_out(self) -> None:
        """One run, to the record on disk."""
        self._number += 1
        job = self._job(self._number)
        ending = leased_run(
            job, self._serving, boot=None, execute=self._worker.execute, own_pids=lambda: [os.getpid()]
        )
        if ending.status is not Status.COMPLETED:
            raise InternalError(f"The run ended as {ending.status}: {ending.error}")
        self._store.write_run(run_record(job, "node", ending), ending.wire.calls)

    def _job(self, number: int) -> RunJob:
        key = RunKey(framework="direct", arm="idiomatic", task="t", item="i", iteration=number)
        return RunJob(
            Assignment(key, 1, number),
            f"attempt{number}",
            self._agents,
            None,
            TEMPERATURE,
            SEED,
            Limits(),
            new_trace(),
        )


def begin(config: Message) -> Callable[[Message], Message]:
    harness = Harness(config["base_url"], config["model"], agents_of(config), Path(config["folder"]))

    def answer(message: Message) -> Message:
        for _ in range(message["tasks"]):
            harness.carry_out()
        return {"tasks": message["tasks"]}

    return answer


if __name__ == "__main__":
    answer_lines(begin)
