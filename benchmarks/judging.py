"""How fast verdicts come beside a plain asyncio client, and what one costs beside DeepEval's GEval."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.judging_reports import report_set, write_experiment
from benchmarks.judging_run import Judged
from benchmarks.judging_ways import Task, Way, geval, levelfield, plain
from benchmarks.mock import Behaviour, Mock, running_mock
from benchmarks.peers import Peers, locked_version
from benchmarks.result import Figure, Goal, Subject, figure, medians
from benchmarks.session import Benchmark, Findings, Session
from shared.errors import InternalError
from shared.yardsticks import Rubric

FLOOR, OURS = "plain", "levelfield"
PEER, LEAN = "geval", "geval, one client"
RATE, STEADY, PER_VERDICT, PER_CALL = "verdicts", "verdicts, steady", "processor per verdict", "per call"
GOAL_SHARE = 0.9
COUNTED = (
    "The mock makes so many answers at once, each in the same time; every subject has as many requests in "
    "flight. Verdicts: from the first request at the mock to the last answer; steady: over the middle half "
    "of the answers. Processor: user and system time of all processes of a subject over that half, the "
    "mock's left out, so that starting and reporting are not in it. plain: one process with "
    "httpx.AsyncClient and our judge's own requests, its verdicts written at the end. levelfield: "
    "`levelfield judge` with Ray, and each verdict on disk at once. geval: GEval.a_measure with its steps "
    "given and DeepEval's own LocalModel, which makes a client for each call; one client: the same with a "
    "client that is kept. A verdict has five criteria: plain and levelfield ask for them in one call, GEval "
    "asks for each in a call of its own, so its verdict is five calls."
)


@dataclass(frozen=True, slots=True)
class Service:
    """A judge's server."""

    answer_s: float
    at_once: int
    """Answers in the making at the same time, and requests that a subject has in flight."""
    reports: int
    """In a round; enough for 15 seconds at the service's own speed."""

    @property
    def name(self) -> str:
        return f"{1e3 * self.answer_s:g} ms, {self.at_once} at once"


SERVICES = (Service(0.05, 4, 1200), Service(0.5, 16, 480))
TRIAL = Service(0, 1, 10)


def measure(session: Session) -> Findings:
    services = [replace(one, reports=one.reports // 2) if session.quick else one for one in SERVICES]
    return measure_services(session, services, session.rounds_of(full=5, quick=2))


def measure_services(session: Session, services: Sequence[Service], rounds: int) -> Findings:
    rubric = report_set(0).rubric
    with running_mock(session.folder) as mock, ExitStack() as stack:
        session.progress.stage("judging: starting")
        peers = Peers(session, stack)
        ways = {FLOOR: plain(rubric), OURS: levelfield(rubric)}
        for name in (PEER, LEAN):
            if peer := peers.enter(name, _tried(session, mock, rubric, name)):
                ways[name] = peer
        session.progress.stage("judging", total=rounds * len(ways) * len(services))
        taken = {service.name: _rounds(session, mock, ways, service, rounds) for service in services}
    figures = [made for name, judged in taken.items() for made in _figures(name, judged)]
    return Findings(
        counted=COUNTED,
        rounds=rounds,
        subjects=_subjects(peers.missing),
        figures=figures,
        goals=_goals(figures),
        details=_details(services, ways, taken),
    )


def _rounds(
    session: Session, mock: Mock, ways: Mapping[str, Way], service: Service, rounds: int
) -> dict[str, list[Judged]]:
    session.progress.doing(f"{service.name}: writing {service.reports} reports")
    folder = session.folder / service.name.replace(" ", "-").replace(",", "")
    task = _task(mock, service, folder)
    write_experiment(task.experiment, task.reports)
    order = random.Random(7)  # noqa: S311 - an order, not a secret
    found: dict[str, list[Judged]] = {name: [] for name in ways}
    for number in range(rounds):
        for name in order.sample(list(ways), len(ways)):
            session.progress.doing(f"{service.name}: {name}, round {number + 1} of {rounds}")
            found[name].append(_judged(mock, service, ways[name], task))
            session.progress.advance()
    return found


def _task(mock: Mock, service: Service, folder: Path) -> Task:
    folder.mkdir()
    return Task(report_set(service.reports), mock.base_url, service.at_once, folder)


def _judged(mock: Mock, service: Service, way: Way, task: Task) -> Judged:
    mock.behave(Behaviour(wait_s=service.answer_s, at_once=service.at_once, answer=way.answer))
    verdicts = service.reports // way.one_in
    samples = way.judge(task, verdicts)
    stamps = mock.account().stamps
    if len(stamps) != verdicts * way.calls:
        raise InternalError(f"The mock saw {len(stamps)} calls for {verdicts} verdicts.")
    judged = Judged(stamps, samples, way.calls)
    if judged.most_in_flight > service.at_once:
        raise InternalError(f"{judged.most_in_flight} requests were in flight, not {service.at_once}.")
    return judged


@contextmanager
def _tried(session: Session, mock: Mock, rubric: Rubric, name: str) -> Iterator[Way]:
    """A peer that has judged a little."""
    way = geval(rubric, session.progress.doing, one_client=name == LEAN)
    session.progress.doing(f"{name}: trying")
    _judged(mock, TRIAL, way, _task(mock, TRIAL, session.folder / f"trial of {name}"))
    yield way


def _figures(service: str, judged: Mapping[str, Sequence[Judged]]) -> Iterator[Figure]:
    quantities: dict[tuple[str, str], Callable[[Judged], float]] = {
        (RATE, "1/s"): lambda one: one.verdicts_per_s,
        (STEADY, "1/s"): lambda one: one.steady_verdicts_per_s,
        (PER_VERDICT, "ms"): lambda one: one.calls * sum(one.call_ms.values()),
        (PER_CALL, "ms"): lambda one: sum(one.call_ms.values()),
    }
    for (name, unit), value in quantities.items():
        rounds = {who: [value(one) for one in all_of] for who, all_of in judged.items()}
        yield figure(f"{service}: {name}", unit, rounds, OURS)


def _goals(figures: Sequence[Figure]) -> list[Goal]:
    goals = []
    for found in figures:
        if found.name.endswith(f": {RATE}"):
            ratio = found.ratios[f"{OURS} / {FLOOR}"].median
            goals.append(
                Goal(
                    text=f"{found.name}: at least {GOAL_SHARE:g} of the plain client's",
                    met=ratio >= GOAL_SHARE,
                    found=f"{ratio:.2f}",
                )
            )
        if found.name.endswith(f": {PER_VERDICT}"):
            beside = found.ratios.get(f"{OURS} / {LEAN}")
            goals.append(
                Goal(
                    text=f"{found.name}: less than GEval's with one client",
                    met=beside.median < 1 if beside else None,
                    found=f"{beside.median:.2f} of it" if beside else "it was not measured",
                )
            )
    return goals


def _details(
    services: Sequence[Service], ways: Mapping[str, Way], taken: Mapping[str, Mapping[str, Sequence[Judged]]]
) -> dict[str, Any]:
    return {
        "verdicts_per_round": {
            service.name: {name: service.reports // way.one_in for name, way in ways.items()}
            for service in services
        },
        "calls_per_verdict": {name: way.calls for name, way in ways.items()},
        "ms_per_call_by_process": {
            service: {who: medians([one.call_ms for one in all_of]) for who, all_of in judged.items()}
            for service, judged in taken.items()
        },
    }


def _subjects(missing: Mapping[str, str]) -> list[Subject]:
    peer = f"DeepEval {locked_version('bench-deepeval', 'deepeval')}, GEval"
    lean = f"{peer}, with a client of OpenAI's that is kept"
    return [
        Subject(name=FLOOR, role="floor", what=f"asyncio and httpx {version('httpx')}"),
        Subject(name=OURS, role="ours", what="levelfield judge"),
        Subject(name=PEER, role="peer", what=f"{peer} with LocalModel", missing=missing.get(PEER)),
        Subject(name=LEAN, role="peer", what=lean, missing=missing.get(LEAN)),
    ]


BENCHMARK = Benchmark("judging", "How fast verdicts come, and what one costs in processor time.", measure)
