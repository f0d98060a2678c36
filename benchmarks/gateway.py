"""What a proxy adds to one chat completion: nothing, a bare byte pipe, our gateway, the LiteLLM proxy."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace

from benchmarks.chat_client import ChatClient, Timing, chat_body
from benchmarks.leased_gateway import leased, running_gateway
from benchmarks.line_process import LineProcess
from benchmarks.litellm_proxy import litellm_proxy
from benchmarks.mock import Behaviour, Mock, running_mock
from benchmarks.peers import Peers, locked_version
from benchmarks.result import Figure, Goal, Subject, figure, percentile
from benchmarks.session import Benchmark, Findings, Session

FLOOR, PIPE, OURS, PEER = "direct", "pipe", "gateway", "litellm"
BLOCK = 10
"""Requests of one subject in a row; one more before them, not counted, opens its connections."""
PERCENTS = (50, 99)
GOAL_MS = 1.0
GOAL_OF_PEER = 0.5
"""What "a fraction of LiteLLM's" is taken to mean."""
COUNTED = (
    "From sending the request to the first bytes of the answer's body (first) and to its end (whole), at "
    "one client on a kept-alive connection, one request at a time. Request about 6 KB, answer about 3 KB; a "
    "stream has 64 events. Blocks of 10 requests per subject, in seeded random order. The gateway writes "
    "its journal; LiteLLM runs one worker without keys, database or logging. 'Added' is a subject's "
    "percentile less that of direct in the same round."
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request."""

    name: str
    behaviour: Behaviour
    stream: bool
    blocks: int
    """Per round and subject."""


KINDS = (
    Kind("plain", Behaviour(), stream=False, blocks=20),
    Kind("stream at once", Behaviour(), stream=True, blocks=10),
    Kind("stream, 5 ms gap", Behaviour(gap_s=0.005), stream=True, blocks=2),
)


@dataclass(frozen=True, slots=True)
class Route:
    """A way to the mock; `open` gives a base URL for one block of requests."""

    subject: str
    open: Callable[[], AbstractContextManager[str]]


class Samples:
    """What was timed, and how many connections the mock saw meanwhile."""

    def __init__(self) -> None:
        self._timings: dict[tuple[str, str], list[list[Timing]]] = {}
        self.connections: Counter[tuple[str, str]] = Counter()

    def add(
        self, kind: str, subject: str, timings: Sequence[Timing], *, number: int, connections: int
    ) -> None:
        rounds = self._timings.setdefault((kind, subject), [])
        rounds.extend([] for _ in range(number + 1 - len(rounds)))
        rounds[number].extend(timings)
        self.connections[kind, subject] += connections

    def subjects(self, kind: str) -> list[str]:
        return [subject for name, subject in self._timings if name == kind]

    def percentiles_ms(self, kind: str, subject: str, what: str, percent: float) -> list[float]:
        """One per round; `what` is first_s or whole_s."""
        rounds = self._timings[kind, subject]
        return [percentile([1e3 * getattr(timing, what) for timing in taken], percent) for taken in rounds]


def measure(session: Session) -> Findings:
    kinds = [replace(kind, blocks=max(1, kind.blocks // 5)) if session.quick else kind for kind in KINDS]
    return measure_kinds(session, kinds, session.rounds_of(full=9, quick=3))


def measure_kinds(session: Session, kinds: Sequence[Kind], rounds: int) -> Findings:
    samples = Samples()
    with running_mock(session.folder) as mock, ExitStack() as stack:
        session.progress.stage("gateway: starting")
        peers = Peers(session, stack)
        routes = list(_routes(session, mock, stack, peers))
        session.progress.stage("gateway", total=rounds * len(kinds))
        order = random.Random(7)  # noqa: S311 - an order, not a secret
        for number in range(rounds):
            for kind in kinds:
                session.progress.doing(f"{kind.name}, round {number + 1} of {rounds}")
                _round(mock, routes, kind, samples, number=number, order=order)
                session.progress.advance()
    figures = [made for kind in kinds for made in _figures(kind, samples)]
    return Findings(
        counted=COUNTED,
        rounds=rounds,
        subjects=_subjects(peers.missing),
        figures=figures,
        goals=_goals(figures),
        details=_details(kinds, rounds, samples),
    )


def _routes(session: Session, mock: Mock, stack: ExitStack, peers: Peers) -> Iterator[Route]:
    yield Route(FLOOR, lambda: nullcontext(mock.base_url))
    command = [sys.executable, "-m", "benchmarks.byte_pipe"]
    pipe = stack.enter_context(LineProcess(command, session.folder / "pipe.log", {"port": mock.port}))
    yield Route(PIPE, lambda: nullcontext(f"http://127.0.0.1:{pipe.said['port']}/v1"))
    gateway = stack.enter_context(running_gateway(mock.base_url, session.folder / "spool"))
    yield Route(OURS, lambda: leased(gateway))
    proxy = peers.enter(PEER, litellm_proxy(mock.base_url, session.folder, session.progress.doing))
    if proxy:
        yield Route(PEER, lambda: nullcontext(f"{proxy}/v1"))


def _round(
    mock: Mock, routes: Sequence[Route], kind: Kind, samples: Samples, *, number: int, order: random.Random
) -> None:
    mock.behave(kind.behaviour)
    body = chat_body(stream=kind.stream)
    for _ in range(kind.blocks):
        for route in order.sample(routes, len(routes)):
            with route.open() as base_url, ChatClient(base_url) as client:
                client.complete(body)
                mock.account()
                timings = [client.complete(body) for _ in range(BLOCK)]
                connections = mock.account().connections - 1
                samples.add(kind.name, route.subject, timings, number=number, connections=connections)


def _figures(kind: Kind, samples: Samples) -> Iterator[Figure]:
    for what in ("first", "whole") if kind.stream else ("whole",):
        for percent in PERCENTS:
            rounds = {
                subject: samples.percentiles_ms(kind.name, subject, f"{what}_s", percent)
                for subject in samples.subjects(kind.name)
            }
            floor = rounds[FLOOR]
            added = {
                subject: [value - least for value, least in zip(values, floor, strict=True)]
                for subject, values in rounds.items()
                if subject != FLOOR
            }
            yield figure(f"{kind.name}: {what}, p{percent}", "ms", rounds, OURS)
            yield figure(f"{kind.name}: {what}, p{percent} added", "ms", added, OURS)


def _goals(figures: Sequence[Figure]) -> list[Goal]:
    goals = []
    for found in figures:
        if not found.name.endswith("p50 added"):
            continue
        ours = found.of[OURS].median
        goals.append(
            Goal(text=f"{found.name}: at most {GOAL_MS:g} ms", met=ours <= GOAL_MS, found=f"{ours:.2f} ms")
        )
        ratio = found.ratios.get(f"{OURS} / {PEER}")
        goals.append(
            Goal(
                text=f"{found.name}: at most {GOAL_OF_PEER:g} of LiteLLM's",
                met=ratio.median <= GOAL_OF_PEER if ratio else None,
                found=f"{ratio.median:.2f}" if ratio else "LiteLLM was not measured",
            )
        )
    return goals


def _details(kinds: Sequence[Kind], rounds: int, samples: Samples) -> dict[str, object]:
    return {
        "requests_per_round": {kind.name: kind.blocks * BLOCK for kind in kinds},
        "new_connections_to_the_mock_per_request": {
            f"{kind}: {subject}": round(count / (rounds * BLOCK * _blocks(kinds, kind)), 3)
            for (kind, subject), count in sorted(samples.connections.items())
        },
    }


def _blocks(kinds: Sequence[Kind], name: str) -> int:
    return next(kind.blocks for kind in kinds if kind.name == name)


def _subjects(missing: dict[str, str]) -> list[Subject]:
    version = locked_version("bench-litellm", "litellm")
    return [
        Subject(name=FLOOR, role="floor", what="the mock itself, nothing in between"),
        Subject(
            name=PIPE, role="reference", what="a TCP relay that looks at nothing, in a process of its own"
        ),
        Subject(name=OURS, role="ours", what="our gateway with a lease per block, journal on"),
        Subject(name=PEER, role="peer", what=f"LiteLLM proxy {version}", missing=missing.get(PEER)),
    ]


BENCHMARK = Benchmark("gateway", "What the gateway adds to one model call's latency.", measure)
