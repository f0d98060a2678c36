"""An inference node that only waits: what is left is the driver's own work and Ray's."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks.generated_records import GeneratedRun, generated_record
from cluster.inference_node import Activity, MeasuredRun
from cluster.run_job import RunJob

SCORES = {"accuracy": 7}


class WaitingNode:
    """What the dispatcher asks of an `InferenceNode`, without a model, a gateway or processes."""

    def __init__(self, name: str, run_s: float, process_s: float) -> None:
        self._name = name
        self._run_s, self._process_s = run_s, process_s
        self._measured: list[tuple[float, float]] = []

    def start_processes(self, jobs: Sequence[RunJob]) -> None:
        time.sleep(self._process_s * len(jobs))

    def measure(self, job: RunJob) -> MeasuredRun:
        """A record with three calls of a usual size, under the job's own name."""
        began = time.monotonic()
        time.sleep(self._run_s)
        ended = time.monotonic()
        key, at = job.assignment.key, datetime.now(UTC).isoformat()
        made = GeneratedRun(
            **key.model_dump(), position=job.assignment.position, started_at=at, error="",
            prompt_tokens=1500, completion_tokens=900, framework_s=0.05, scores=SCORES,
        )  # fmt: skip
        record, calls = generated_record(made)
        own = {"attempt": job.assignment.attempt, "attempt_id": job.attempt_id, "node": self._name}
        self._measured.append((began, ended))
        return MeasuredRun(record.model_copy(update=own), calls, [])

    def activity(self) -> Activity:
        return Activity(f"waiting on {self._name}")

    def measured(self) -> list[tuple[float, float]]:
        """From when to when, in seconds of CLOCK_MONOTONIC."""
        return self._measured
