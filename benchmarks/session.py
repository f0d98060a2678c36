"""What a benchmark is given, and what it hands back before it is written down."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.result import BenchmarkResult, Figure, Goal, Subject, now
from cluster.machine import describe_machine
from cluster.progress import RunProgress


@dataclass(frozen=True)
class Session:
    """One benchmark's working place."""

    folder: Path
    """For logs, spools and whatever else is thrown away afterwards."""
    progress: RunProgress
    quick: bool = False
    rounds: int | None = None
    """None: the benchmark's own number."""

    def rounds_of(self, full: int, quick: int) -> int:
        return self.rounds or (quick if self.quick else full)


@dataclass(frozen=True)
class Findings:
    """What a benchmark measured."""

    counted: str
    rounds: int
    subjects: list[Subject]
    figures: list[Figure]
    goals: list[Goal]
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Benchmark:
    name: str
    about: str
    measure: Callable[[Session], Findings]

    def run(self, session: Session) -> BenchmarkResult:
        before = os.getloadavg()[0]
        found = self.measure(session)
        return BenchmarkResult(
            name=self.name,
            about=self.about,
            counted=found.counted,
            at=now(),
            quick=session.quick,
            rounds=found.rounds,
            machine=describe_machine(),
            load_1min=[round(before, 2), round(os.getloadavg()[0], 2)],
            subjects=found.subjects,
            figures=found.figures,
            goals=found.goals,
            details=found.details,
        )
