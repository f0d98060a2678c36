"""What a benchmark found: each figure for everybody it was measured of, over interleaved rounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from shared.strict import Strict

Role = Literal["floor", "reference", "ours", "peer"]
"""The floor is what is done without anybody's product; a reference is shown and not competed with."""


class Subject(Strict):
    """Somebody who is measured."""

    name: str
    role: Role
    what: str
    """In a few words, versions included."""
    missing: str | None = None
    """Why it could not be measured; the others were."""


class Spread(Strict):
    """One value per round, and what they come to."""

    min: float
    median: float
    max: float
    rounds: list[float]


class Figure(Strict):
    """One quantity."""

    name: str
    unit: str
    of: dict[str, Spread]
    """By subject."""
    ratios: dict[str, Spread]
    """Ours over each other subject, worked out within each round: "gateway / direct"."""


class Goal(Strict):
    text: str
    met: bool | None
    """None when it could not be decided: a peer is missing."""
    found: str


class BenchmarkResult(Strict):
    """`results/benchmarks/<name>.json`."""

    name: str
    about: str
    counted: str
    """What exactly is in the figures, and what is not."""
    at: str
    """UTC, ISO 8601."""
    quick: bool
    rounds: int
    machine: dict[str, Any]
    load_1min: list[float]
    """The machine's load before and after: above its cores, somebody else was at work."""
    subjects: list[Subject]
    figures: list[Figure]
    goals: list[Goal]
    details: dict[str, Any]
    """What helps to understand the figures."""

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        path.write_text(f"{self.model_dump_json(indent=1)}\n", encoding="utf-8")
        return path

    def figure(self, name: str) -> Figure:
        return next(figure for figure in self.figures if figure.name == name)


def spread(rounds: Iterable[float]) -> Spread:
    values = [float(value) for value in rounds]
    return Spread(min=min(values), median=float(np.median(values)), max=max(values), rounds=values)


def figure(
    name: str, unit: str, rounds: Mapping[str, Sequence[float]], ours: str, *, with_ratios: bool = True
) -> Figure:
    """From each subject's value per round. A ratio over something that is not above zero is left out."""
    ratios = {}
    for other, values in rounds.items():
        if with_ratios and other != ours and ours in rounds and min(values) > 0:
            pairs = zip(rounds[ours], values, strict=True)
            ratios[f"{ours} / {other}"] = spread(mine / theirs for mine, theirs in pairs)
    return Figure(
        name=name,
        unit=unit,
        of={subject: spread(values) for subject, values in rounds.items()},
        ratios=ratios,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Between two values, in proportion to their distances."""
    return float(np.percentile(values, percent))


def medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of each name; one that is missing in a round counts as zero there."""
    names = dict.fromkeys(name for values in rounds for name in values)
    return {name: round(float(np.median([values.get(name, 0.0) for values in rounds])), 3) for name in names}


def busy_seconds(intervals: Iterable[tuple[float, float]]) -> float:
    """Length of the union of intervals."""
    return sum(end - start for start, end in merged(intervals))


def merged(intervals: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same stretches of time in order, without overlaps."""
    stretches: list[tuple[float, float]] = []
    for start, end in sorted(intervals):
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(end, stretches[-1][1]))
        else:
            stretches.append((start, end))
    return stretches


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
