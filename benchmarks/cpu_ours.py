"""The three-agent task as a node carries it out: lease, `direct` through the gateway, record, store.

The steps of `InferenceNode` and of the driver in one process, without Ray, so that what is counted is ours:
the framework's side, the gateway with its journal, and what becomes of the run on disk.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.child import Message, answer_lines
from benchmarks.cpu_task import SEED, TEMPERATURE, agents_of
from cluster.framework_worker import FrameworkWorker
from cluster.gateway.lease import LeaseRequest
from cluster.gateway.process import GatewayProcess
from cluster.run_job import RunJob
from cluster.run_outcome import Wire, classify
from cluster.run_record import Ending, run_record
from cluster.schedule import Assignment
from runtime_envs.catalog import framework
from shared.contract import AgentSpec, RunRequest
from shared.errors import InternalError
from shared.plan import Limits
from shared.records import RunKey, Status
from shared.store import Store


class Harness:
    """A node and a driver, as far as a run of `direct` needs them."""

    def __init__(self, base_url: str, model: str, agents: tuple[AgentSpec, ...], folder: Path) -> None:
        self._model, self._agents = model, agents
        self._store = Store(folder / "experiment")
        self._gateway = GatewayProcess()
        self._gateway.start(base_url, None, folder)
        atexit.register(self._gateway.stop)
        self._worker = FrameworkWorker()
        self._worker.boot(framework("direct").adapter)
        self._number = 0

    def carry_out(self) -> None:
        """One run, to the record on disk."""
        self._number += 1
        job = self._job(self._number)
        started_at = datetime.now(UTC).isoformat()
        lease = self._gateway.open_lease(
            LeaseRequest(
                run_id=job.assignment.key.run_id,
                kind="run",
                deadline_s=job.limits.run_timeout_s,
                request_timeout_s=job.limits.request_timeout_s,
                max_model_calls=4 * len(self._agents),
            )
        )
        result = self._worker.execute(self._request(job, lease.base_url, lease.tools_url))
        report = self._gateway.close_lease(lease)
        wire = Wire(report.calls, report.budget_exceeded, report.contaminated, report.journal_error)
        status, error = classify(result, wire)
        if status is not Status.COMPLETED:
            raise InternalError(f"The run ended as {status}: {error}")
        ending = Ending(status, error, result, wire, started_at=started_at)
        self._store.write_run(run_record(job, "node", ending), wire.calls)

    def _job(self, number: int) -> RunJob:
        key = RunKey(framework="direct", arm="idiomatic", task="t", item="i", iteration=number)
        return RunJob(Assignment(key, 1, number), self._agents, {}, TEMPERATURE, SEED, Limits())

    def _request(self, job: RunJob, base_url: str, tools_url: str) -> RunRequest:
        return RunRequest(
            run_id=job.assignment.key.run_id,
            base_url=base_url,
            tools_url=tools_url,
            model=self._model,
            agents=job.agents,
            temperature=job.temperature,
            seed=job.seed,
            request_timeout_s=job.limits.request_timeout_s,
            max_steps=job.limits.max_steps,
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
