"""The report from 45, 10,000 and 1,000,000 runs: time and memory, beside a plain script for the same."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.line_process import run_child
from benchmarks.result import Figure, Goal, Subject, figure
from benchmarks.session import Benchmark, Findings, Session

OURS, FLOOR = "levelfield", "plain script"
MOST_MB_AT_A_MILLION = 4096
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
"""Records are made safe one by one, which takes a disk minutes for thousands of them."""
GENERATE = (
    "import sys; from pathlib import Path; from benchmarks.generated_results import Shape, write_results; "
    "runs, records = map(int, sys.argv[2:]); shape = Shape() if runs >= Shape().cells else Shape(5, 3, 1); "
    "write_results(Path(sys.argv[1]), runs, shape=shape, records=records)"
)
"""As the published experiment where there are few runs: five frameworks on three items."""
COUNTED = (
    "From starting Python to the written HTML file, imports included, each time in a fresh process; the "
    "input has just been made, so no disk is waited for. Memory is the process's largest resident size "
    "(VmHWM). levelfield: `python -m analysis.report`, all its statistics. plain script: "
    "benchmarks/plain_report.py, pandas, scipy and plotly for the same basic tables and figures. From "
    "records: what an experiment's folder holds, calls and verdicts included; the plain script reads its "
    "runs and verdicts and no call."
)


@dataclass(frozen=True)
class Case:
    """One input."""

    runs: int
    records: bool = False

    @property
    def name(self) -> str:
        return f"{self.runs:,} {'records' if self.records else 'rows'}"


@dataclass(frozen=True)
class Taken:
    seconds: float
    processor_s: float
    peak_mb: float
    html_mb: float


FULL = (Case(45), Case(10_000), Case(1_000_000), Case(45, records=True), Case(10_000, records=True))
QUICK = (Case(45), Case(10_000), Case(45, records=True))


def measure(session: Session) -> Findings:
    return measure_cases(session, QUICK if session.quick else FULL, session.rounds_of(full=3, quick=1))


def measure_cases(session: Session, cases: tuple[Case, ...], rounds: int) -> Findings:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as place:
        session.progress.stage("Making results up", len(cases))
        sources = {case: _source(session, Path(place), case) for case in cases}
        return _findings(_interleaved(session, sources, rounds), rounds)


def _interleaved(
    session: Session, sources: Mapping[Case, Path], rounds: int
) -> dict[Case, dict[str, list[Taken]]]:
    session.progress.stage("scale", len(sources) * rounds)
    taken: dict[Case, dict[str, list[Taken]]] = {case: {FLOOR: [], OURS: []} for case in sources}
    for number in range(rounds):
        for case, found in taken.items():
            for who, results in found.items():
                session.progress.doing(f"{who}, {case.name}, round {number + 1} of {rounds}")
                results.append(_take(session, who, case, sources[case]))
            session.progress.advance()
    return taken


def _findings(taken: Mapping[Case, Mapping[str, list[Taken]]], rounds: int) -> Findings:
    return Findings(
        counted=COUNTED,
        rounds=rounds,
        subjects=[
            Subject(name=FLOOR, role="floor", what="pandas, scipy and plotly from top to bottom"),
            Subject(name=OURS, role="ours", what="the report with all its statistics"),
        ],
        figures=[made for case, found in taken.items() for made in _figures(case, found)],
        goals=list(_goals(taken)),
    )


def _source(session: Session, place: Path, case: Case) -> Path:
    """Made in a process of its own, so that its memory is nobody's here."""
    folder = place / case.name.replace(" ", "-").replace(",", "")
    records = case.runs if case.records else 0
    run_child(session.folder, ["-c", GENERATE, str(folder), str(case.runs), str(records)])
    session.progress.advance()
    return folder


def _take(session: Session, who: str, case: Case, source: Path) -> Taken:
    out = session.folder / "report.html"
    began = time.monotonic()
    said = run_child(
        session.folder,
        [
            *("-m", "benchmarks.report_child", "ours" if who == OURS else "plain", str(source), str(out)),
            *(["--records"] if case.records else []),
        ],
    )
    seconds = time.monotonic() - began
    found = json.loads(said.splitlines()[-1])
    size = out.stat().st_size / 1e6
    out.unlink()
    return Taken(seconds, found["processor_s"], found["peak_mb"], size)


def _figures(case: Case, found: Mapping[str, list[Taken]]) -> list[Figure]:
    def of(name: str, unit: str, field: str) -> Figure:
        values = {who: [getattr(taken, field) for taken in results] for who, results in found.items()}
        return figure(f"{case.name}: {name}", unit, values, OURS)

    return [
        of("time", "s", "seconds"),
        of("processor time", "s", "processor_s"),
        of("peak memory", "MB", "peak_mb"),
        of("report", "MB", "html_mb"),
    ]


def _goals(taken: Mapping[Case, Mapping[str, list[Taken]]]) -> list[Goal]:
    goals = []
    for case, found in taken.items():
        times = figure("", "s", {who: [t.seconds for t in results] for who, results in found.items()}, OURS)
        ratio = times.ratios[f"{OURS} / {FLOOR}"].median
        goals.append(
            Goal(
                text=f"{case.name}: no slower than the plain script",
                met=ratio <= 1,
                found=f"{ratio:.2f} times its time",
            )
        )
        if case.runs >= 1_000_000:
            peak = max(t.peak_mb for t in found[OURS])
            goals.append(
                Goal(
                    text=f"{case.name}: at most {MOST_MB_AT_A_MILLION / 1024:g} GB of memory",
                    met=peak <= MOST_MB_AT_A_MILLION,
                    found=f"{peak / 1024:.2f} GB",
                )
            )
    return goals


BENCHMARK = Benchmark(
    "scale", "the report from 45 to 1,000,000 runs, beside a plain pandas and plotly script", measure
)
