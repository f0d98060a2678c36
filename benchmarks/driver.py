"""What a plan costs beside its runs: the driver, the pauses on a node, more nodes, a million runs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.line_process import run_child
from benchmarks.pauses import COUNTED as PAUSES_COUNTED
from benchmarks.pauses import MEAN, measure_pauses
from benchmarks.result import Figure, Goal, Subject, figure
from benchmarks.scale import IN_MEMORY
from benchmarks.session import Benchmark, Findings, Session
from benchmarks.utilisation import FLOOR, OURS
from runtime_envs.build import build
from runtime_envs.catalog import framework

CHILD = "benchmarks.driver_child"
NODES = 4
GOAL_SPEED_UP = 0.95
"""Of as many times as there are nodes."""
GOAL_PAUSES = 1.0
"""Times the loop's."""
COUNTED = (
    "driver: processor time and largest memory (VmHWM) of the driver's process alone, Ray's library in it, "
    "on four nodes that answer at once with a record of three calls, so that nothing but the driver is "
    "measured; records go to memory. speed-up: the same with runs that wait, from the first start to the "
    f"last end, over the ideal. {PAUSES_COUNTED} simulation: a plan of made-up durations and failures on "
    "1,000 nodes, by the schedule itself, in one process."
)


@dataclass(frozen=True)
class Size:
    """How much of each is measured."""

    plans: tuple[int, ...]
    """Runs of plans on nodes that answer at once."""
    waiting_runs: int
    run_s: float
    frameworks: tuple[str, ...]
    items: tuple[str, ...]
    simulated: int


FULL = Size(
    (100, 1_000, 10_000), 128, 1.0, ("direct", "langgraph", "autogen"), ("anthropic", "stripe"), 1_000_000
)
QUICK = Size((100, 1_000), 32, 0.5, ("direct", "langgraph"), ("anthropic", "stripe"), 100_000)


def measure(session: Session) -> Findings:
    size = QUICK if session.quick else FULL
    return measure_size(session, size, session.rounds_of(full=3, quick=1))


def measure_size(session: Session, size: Size, rounds: int) -> Findings:
    for name in size.frameworks:
        build(framework(name).environment, on_progress=session.progress.doing)
    session.progress.stage("driver", total=rounds)
    found: list[dict[tuple[str, str], dict[str, float]]] = []
    details: dict[str, Any] = {}
    for _ in range(rounds):
        values: dict[tuple[str, str], dict[str, float]] = {}
        for name, carry_out in _parts(session, size).items():
            session.progress.doing(name)
            taken, details[name] = carry_out()
            values |= taken
        found.append(values)
        session.progress.advance()
    figures = [
        figure(
            name, unit, {who: [one[name, unit][who] for one in found] for who in found[0][name, unit]}, OURS
        )
        for name, unit in found[0]
    ]
    return Findings(
        counted=COUNTED,
        rounds=rounds,
        subjects=[
            Subject(name=FLOOR, role="floor", what="each framework as a subprocess, one after the other"),
            Subject(name=OURS, role="ours", what="the dispatcher on Ray; levelfield run"),
        ],
        figures=figures,
        goals=list(_goals(figures)),
        details=details,
    )


Values = dict[tuple[str, str], dict[str, float]]
"""By figure and unit, of each subject."""


def _parts(session: Session, size: Size) -> Mapping[str, Callable[[], tuple[Values, Any]]]:
    return {
        **{f"{runs:,} runs": partial(_driver, session, runs) for runs in size.plans},
        "speed-up": partial(_speed_up, session, size),
        "pauses": partial(measure_pauses, session, size.frameworks, size.items),
        "simulation": partial(_simulation, session, size.simulated),
    }


def _driver(session: Session, runs: int) -> tuple[Values, Any]:
    took = _plan(session, runs, NODES, 0, 0)
    name = f"driver, {runs:,} runs"
    return {
        (f"{name}: processor time per run", "ms"): {OURS: 1000 * took["driver_s"] / took["runs"]},
        (f"{name}: memory", "MB"): {OURS: took["peak_mb"]},
        (f"{name}: runs per second", "1/s"): {OURS: took["runs"] / took["span_s"]},
    }, took


def _speed_up(session: Session, size: Size) -> tuple[Values, Any]:
    took = {n: _plan(session, size.waiting_runs, n, size.run_s, size.run_s / 20) for n in (1, 2, NODES)}
    values = {
        (f"speed-up with {n} nodes, of the ideal", "share"): {OURS: took[1]["span_s"] / took[n]["span_s"] / n}
        for n in (2, NODES)
    }
    used = {(f"{n} nodes: time in runs", "share"): {OURS: took[n]["utilisation"]} for n in took}
    return values | used, took


def _simulation(session: Session, runs: int) -> tuple[Values, Any]:
    took = json.loads(
        run_child(session.folder, ["-m", CHILD, "simulation", str(runs), "1000"]).splitlines()[-1]
    )
    name = f"simulation, {runs:,} runs"
    return {
        (f"{name}: time", "s"): {OURS: took["wall_s"]},
        (f"{name}: memory", "MB"): {OURS: took["peak_mb"]},
        (f"{name}: nodes' time in runs", "share"): {OURS: took["utilisation"]},
    }, took


def _plan(session: Session, runs: int, nodes: int, run_s: float, process_s: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as place:
        numbers = map(str, (runs, nodes, run_s, process_s))
        said = run_child(session.folder, ["-m", CHILD, "plan", str(Path(place) / "out"), *numbers])
    took: dict[str, Any] = json.loads(said.splitlines()[-1])
    return took


def _goals(figures: list[Figure]) -> Iterator[Goal]:
    for found in figures:
        if found.name.startswith("speed-up"):
            share = found.of[OURS].median
            text = f"{found.name}: above {GOAL_SPEED_UP:.0%}"
            yield Goal(text=text, met=share > GOAL_SPEED_UP, found=f"{share:.1%}")
        if found.name == MEAN:
            ratio = found.ratios[f"{OURS} / {FLOOR}"].median
            text = "pauses between runs no longer than the loop's, on average"
            yield Goal(text=text, met=ratio <= GOAL_PAUSES, found=f"{ratio:.2f} times")


BENCHMARK = Benchmark(
    "driver",
    "what scheduling costs: the driver, pauses between runs, more nodes, a million simulated runs",
    measure,
)
