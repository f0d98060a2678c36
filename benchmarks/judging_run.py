"""One subject of `judging` at work: its command, its processor time meanwhile, and what the mock saw."""

from __future__ import annotations

import subprocess
import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from benchmarks.line_process import (
    ProcessFailed,
    child_variables,
    cpu_seconds,
    end,
    log_tail,
    tied_process,
)
from benchmarks.mock import Stamp

SAMPLE_S = 0.5
"""Between two looks at the processes: a look takes about 5 ms, and the mock answers for seconds."""
TIMEOUT_S = 900
RAY_WORKERS, RAY_ITSELF = "Ray's workers", "Ray itself"


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds of processor time so far, by process."""

    at: float
    """On the mock's clock."""
    cpu_s: dict[str, float]


@dataclass(frozen=True, slots=True)
class Judged:
    """All reports of a round, judged by one subject."""

    stamps: list[Stamp]
    samples: list[Sample]
    calls: int
    """Per verdict."""

    @property
    def verdicts_per_s(self) -> float:
        """From the first request to the last answer."""
        first = min(stamp.arrived for stamp in self.stamps)
        return len(self._answers) / (self._answers[-1] - first) / self.calls

    @property
    def steady_verdicts_per_s(self) -> float:
        """Over the middle half of the answers: who starts and who is done no longer matters."""
        begin, until = self._middle
        return self._middle_answers / (until - begin) / self.calls

    @property
    def most_in_flight(self) -> int:
        """Requests at the mock at the same time, those that waited for their turn included."""
        arrived = sorted(stamp.arrived for stamp in self.stamps)
        return max(number - bisect_right(self._answers, at) for number, at in enumerate(arrived, start=1))

    @property
    def call_ms(self) -> dict[str, float]:
        """Processor time per call by process, over the same half, read between two samples in proportion."""
        at = [sample.at for sample in self.samples]
        names = dict.fromkeys(name for sample in self.samples for name in sample.cpu_s)
        spent = {}
        for name in names:
            begin, until = np.interp(self._middle, at, [s.cpu_s.get(name, 0.0) for s in self.samples])
            spent[name] = 1e3 * float(until - begin) / self._middle_answers
        return spent

    @property
    def _answers(self) -> list[float]:
        return sorted(stamp.last for stamp in self.stamps if stamp.last is not None)

    @property
    def _middle(self) -> tuple[float, float]:
        answers = self._answers
        quarter = len(answers) // 4
        return answers[quarter], answers[quarter + self._middle_answers]

    @property
    def _middle_answers(self) -> int:
        return len(self._answers) // 2


def watched(command: Sequence[str], variables: Mapping[str, str], log: Path, cwd: Path) -> list[Sample]:
    """Run it to its end. Raises ProcessFailed when it fails or takes too long."""
    samples, deadline = [], time.monotonic() + TIMEOUT_S
    with log.open("ab") as output:
        process = tied_process(
            command,
            cwd=cwd,
            env=child_variables() | dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        while process.poll() is None:
            if time.monotonic() > deadline:
                raise ProcessFailed(f"{_shown(command)}: not done after {TIMEOUT_S} s.\n{log_tail(log)}")
            samples.append(Sample(time.monotonic(), _by_group(cpu_seconds(process.pid))))
            time.sleep(SAMPLE_S)
    finally:
        process.terminate()
        end(process)
    if process.returncode:
        raise ProcessFailed(f"{_shown(command)} ended with {process.returncode}.\n{log_tail(log)}")
    return samples


def _by_group(cpu_s: Mapping[str, float]) -> dict[str, float]:
    """Ray's processes are many, and its workers change their names with what they do."""
    found: dict[str, float] = {}
    for name, seconds in cpu_s.items():
        group = _group(name)
        found[group] = found.get(group, 0.0) + seconds
    return found


def _group(name: str) -> str:
    if name.startswith("ray::"):
        return RAY_WORKERS
    return RAY_ITSELF if PurePath(name).is_absolute() else name


def _shown(command: Sequence[str]) -> str:
    return " ".join(command[1:4])
