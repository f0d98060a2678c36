"""Processor time per model call: the whole harness, beside raw httpx and beside inspect_ai's agent bridge."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from benchmarks.line_process import LineProcess
from benchmarks.mock import MODEL, Behaviour, Mock, running_mock
from benchmarks.peers import Peers, locked_version
from benchmarks.result import Figure, Goal, Subject, figure, medians
from benchmarks.session import Benchmark, Findings, Session
from runtime_envs.build import build
from shared.errors import InternalError
from shared.tasks.load_task import load_task

FLOOR, OURS, PEER = "raw", "levelfield", "inspect"
TASK, ITEM, AGENTS = "company_research", "anthropic", 3
REPEATS = {FLOOR: 10}
"""Times as many tasks, because a round of it would be few ticks of the kernel's account."""
WARM_UP_TASKS = 5
START_TIMEOUT_S = 120
ROUND_TIMEOUT_S = 300
GOAL_RATIO = 3.0
COUNTED = (
    "User and system time of all processes of a subject and of their ended children (psutil, in ticks of 10 "
    "ms), divided by the model calls that the mock saw; the mock's own is left out. The same three agents, "
    "prompts and answers (3 KB) for all. raw: one process with httpx.Client. levelfield: the adapter "
    "'direct', the gateway with its journal, lease, record and store, without Ray. "
    "inspect: eval() of a sample per task, with its log and default settings, display off. Starting and "
    "importing is the figure 'start', up to readiness. Warm-up tasks are in neither; nor is, of Levelfield, "
    "what Ray and a fresh process per run take."
)


def measure(session: Session) -> Findings:
    rounds = session.rounds_of(full=9, quick=3)
    return measure_rounds(session, rounds, tasks=30 if session.quick else 100)


def measure_rounds(session: Session, rounds: int, tasks: int) -> Findings:
    with running_mock(session.folder) as mock, ExitStack() as stack:
        session.progress.stage("cpu: starting")
        mock.behave(Behaviour())
        peers = Peers(session, stack)
        subjects = _started(session, mock, stack, peers)
        processes = {name: started.process for name, started in subjects.items()}
        spent_ms = _rounds(session, mock, processes, rounds, tasks)
    per_call_ms = {name: [sum(spent.values()) for spent in taken] for name, taken in spent_ms.items()}
    figures = [
        figure("per model call", "ms", per_call_ms, OURS),
        figure("start", "s", {name: [started.start_s] for name, started in subjects.items()}, OURS),
    ]
    return Findings(
        counted=COUNTED,
        rounds=rounds,
        subjects=_subjects(peers.missing),
        figures=figures,
        goals=_goals(figures[0]),
        details={
            "tasks_per_round": {name: tasks * REPEATS.get(name, 1) for name in spent_ms},
            "ms_per_call_by_process": {name: medians(taken) for name, taken in spent_ms.items()},
        },
    )


def _rounds(
    session: Session, mock: Mock, subjects: Mapping[str, LineProcess], rounds: int, tasks: int
) -> dict[str, list[dict[str, float]]]:
    """Milliseconds of processor time per model call by process, per subject and round."""
    session.progress.stage("cpu", total=rounds * len(subjects))
    order = random.Random(7)  # noqa: S311 - an order, not a secret
    found: dict[str, list[dict[str, float]]] = {name: [] for name in subjects}
    for number in range(rounds):
        for name in order.sample(list(subjects), len(subjects)):
            session.progress.doing(f"{name}, round {number + 1} of {rounds}")
            found[name].append(_spent_ms(mock, subjects[name], tasks * REPEATS.get(name, 1)))
            session.progress.advance()
    return found


def _spent_ms(mock: Mock, subject: LineProcess, tasks: int) -> dict[str, float]:
    mock.account()
    before = subject.cpu_s
    subject.ask({"tasks": tasks}, ROUND_TIMEOUT_S)
    after = subject.cpu_s
    calls = len(mock.account().stamps)
    if calls != tasks * AGENTS:
        raise InternalError(f"The mock saw {calls} model calls for {tasks} tasks of {AGENTS} agents.")
    return {name: 1e3 * (seconds - before.get(name, 0.0)) / calls for name, seconds in after.items()}


@dataclass(frozen=True, slots=True)
class Started:
    """A subject that has carried out its first tasks."""

    process: LineProcess
    start_s: float
    """Processor time up to readiness."""


def _started(session: Session, mock: Mock, stack: ExitStack, peers: Peers) -> dict[str, Started]:
    """By name. Ours and the floor must come up; a peer may be missing."""
    agents = [asdict(spec) for spec in load_task(TASK).agents(ITEM)]
    config = {"base_url": mock.base_url, "model": MODEL, "agents": agents}
    started = {}
    for name, module in ((FLOOR, "benchmarks.cpu_raw"), (OURS, "benchmarks.cpu_ours")):
        started[name] = stack.enter_context(_warm(session, name, sys.executable, module, config))
    peer = peers.enter(PEER, _inspect(session, config))
    return started | ({PEER: peer} if peer else {})


@contextmanager
def _inspect(session: Session, config: Mapping[str, Any]) -> Iterator[Started]:
    python = build("bench-inspect", on_progress=session.progress.doing).python
    with _warm(session, PEER, str(python), "benchmarks.cpu_inspect", config) as started:
        yield started


@contextmanager
def _warm(
    session: Session, name: str, python: str, module: str, config: Mapping[str, Any]
) -> Iterator[Started]:
    """Started, and warmed up. Whatever it keeps for itself goes below its own folder."""
    session.progress.doing(f"{name}: starting")
    folder = session.folder / name
    folder.mkdir()
    places = {f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
    with LineProcess(
        [python, "-m", module],
        folder / "log",
        {**config, "folder": str(folder)},
        variables=places,
        timeout_s=START_TIMEOUT_S,
    ) as process:
        started = Started(process, sum(process.cpu_s.values()))
        process.ask({"tasks": WARM_UP_TASKS}, ROUND_TIMEOUT_S)
        yield started


def _goals(per_call: Figure) -> list[Goal]:
    raw, inspect = per_call.ratios[f"{OURS} / {FLOOR}"], per_call.ratios.get(f"{OURS} / {PEER}")
    return [
        Goal(
            text=f"at most {GOAL_RATIO:g} times raw httpx",
            met=raw.median <= GOAL_RATIO,
            found=f"{raw.median:.2f}",
        ),
        Goal(
            text="less than inspect_ai",
            met=inspect.median < 1 if inspect else None,
            found=f"{inspect.median:.2f} of it" if inspect else "inspect_ai was not measured",
        ),
    ]


def _subjects(missing: dict[str, str]) -> list[Subject]:
    peer = f"inspect_ai {locked_version('bench-inspect', 'inspect-ai')}, agent bridge"
    return [
        Subject(name=FLOOR, role="floor", what=f"httpx {version('httpx')}, straight to the mock"),
        Subject(name=OURS, role="ours", what="lease, adapter 'direct', gateway, journal, record, store"),
        Subject(name=PEER, role="peer", what=peer, missing=missing.get(PEER)),
    ]


BENCHMARK = Benchmark("cpu", "What a model call costs in processor time, the whole harness counted.", measure)
