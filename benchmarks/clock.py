"""How far TTFT and total time, as the gateway records them, are from what the server itself stamped."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median

import httpx

from benchmarks.chat_client import WrongAnswer, chat_body
from benchmarks.leased_gateway import leased, running_gateway
from benchmarks.mock import Behaviour, Mock, Stamp, running_mock
from benchmarks.result import Figure, Subject, figure
from benchmarks.session import Benchmark, Findings, Session
from cluster.gateway.lease import LeaseReport
from cluster.gateway.process import GatewayProcess
from shared.calls import Call

OURS, THROUGH, PEER = "gateway", "client behind it", "client alone"
SPEEDS = {
    "0 ms gap": Behaviour(wait_s=0.02, gap_s=0, events=32),
    "5 ms gap": Behaviour(wait_s=0.05, gap_s=0.005, events=32),
    "20 ms gap": Behaviour(wait_s=0.1, gap_s=0.02, events=32),
}
STREAMS = 5
"""Per lease; the first opens connections and is left out."""
COUNTED = (
    "Streams of 32 tokens; the mock stamps, with the clock that all processes of a machine share, when it "
    "had a request and when it sent the first and the last token. TTFT is from the request to the first "
    "token, total to the last byte. gateway: what its journal says, from passing the request on. client: "
    "what httpx sees from sending it, straight from the mock or through the gateway. Error: measured less "
    "stamped, per stream; a round's median, and its error furthest from zero (worst)."
)


@dataclass(frozen=True, slots=True)
class Times:
    """Of one stream, in seconds."""

    ttft_s: float
    total_s: float


Errors = dict[str, list[Times]]
"""By subject, a stream each; in seconds, measured less stamped."""


def measure(session: Session) -> Findings:
    return measure_rounds(session, session.rounds_of(full=9, quick=3), STREAMS)


def measure_rounds(session: Session, rounds: int, streams: int) -> Findings:
    taken: dict[str, list[Errors]] = {speed: [] for speed in SPEEDS}
    order = random.Random(7)  # noqa: S311 - an order, not a secret
    with running_mock(session.folder) as mock, ExitStack() as stack:
        session.progress.stage("clock", total=rounds * len(SPEEDS))
        gateway = stack.enter_context(running_gateway(mock.base_url, session.folder / "spool"))
        for number in range(rounds):
            for speed in order.sample(list(SPEEDS), len(SPEEDS)):
                session.progress.doing(f"{speed}, round {number + 1} of {rounds}")
                mock.behave(SPEEDS[speed])
                taken[speed].append(_alone(mock, streams) | _behind(mock, gateway, streams))
                session.progress.advance()
    figures = [made for speed, errors in taken.items() for made in _figures(speed, errors)]
    return Findings(
        counted=COUNTED,
        rounds=rounds,
        subjects=_subjects(),
        figures=figures,
        goals=[],
        details={"streams_per_round": streams},
    )


def _alone(mock: Mock, streams: int) -> Errors:
    """The client straight at the mock."""
    mock.account()
    seen = _read_streams(mock.base_url, streams)
    return {PEER: _errors(seen, mock.account().stamps)}


def _behind(mock: Mock, gateway: GatewayProcess, streams: int) -> Errors:
    """The gateway, and the client behind it."""
    reports: list[LeaseReport] = []
    mock.account()
    with leased(gateway, reports) as base_url:
        seen = _read_streams(base_url, streams)
    stamps = mock.account().stamps
    recorded = [_recorded(call) for call in reports[0].calls]
    return {OURS: _errors(recorded, stamps), THROUGH: _errors(seen, stamps)}


def _read_streams(base_url: str, streams: int) -> list[Times]:
    body, seen = chat_body(stream=True), []
    with httpx.Client(timeout=60) as client:
        for _ in range(streams + 1):
            began, first, last = time.monotonic(), 0.0, 0.0
            with client.stream("POST", f"{base_url}/chat/completions", content=body) as answer:
                for line in answer.iter_lines():
                    last = time.monotonic()
                    if not first and _has_token(line):
                        first = last
                last = time.monotonic()
            if not first:
                raise WrongAnswer(f"A stream without a token, status {answer.status_code}.")
            seen.append(Times(first - began, last - began))
    return seen


def _has_token(line: str) -> bool:
    if not line.startswith("data: {"):
        return False
    choices = json.loads(line.removeprefix("data: "))["choices"]
    return bool(choices and choices[0]["delta"].get("content"))


def _recorded(call: Call) -> Times:
    """As a report takes them from the journal."""
    first = call.first_token_s if call.first_token_s is not None else call.first_byte_s
    if call.failed or first is None or call.forwarded_s is None:
        raise WrongAnswer(f"The gateway recorded a failed call: {call.error}")
    return Times(first - call.forwarded_s, call.last_byte_s - call.forwarded_s)


def _errors(seen: Sequence[Times], stamps: Sequence[Stamp]) -> list[Times]:
    """The first stream is left out."""
    pairs = list(zip(seen, stamps, strict=True))[1:]
    return [
        Times(one.ttft_s - (stamp.first - stamp.arrived), one.total_s - (stamp.last - stamp.arrived))
        for one, stamp in pairs
        if stamp.first is not None and stamp.last is not None
    ]


def _figures(speed: str, rounds: Sequence[Mapping[str, Sequence[Times]]]) -> Iterator[Figure]:
    for what, field in (("TTFT", "ttft_s"), ("total", "total_s")):
        errors_ms = {
            subject: [[1e3 * getattr(times, field) for times in taken[subject]] for taken in rounds]
            for subject in (PEER, THROUGH, OURS)
        }
        middle = {subject: [median(errors) for errors in taken] for subject, taken in errors_ms.items()}
        worst = {subject: [max(errors, key=abs) for errors in taken] for subject, taken in errors_ms.items()}
        yield figure(f"{speed}: {what} error", "ms", middle, OURS)
        yield figure(f"{speed}: {what} error, worst", "ms", worst, OURS)


def _subjects() -> list[Subject]:
    client = f"httpx {version('httpx')}"
    return [
        Subject(name=PEER, role="peer", what=f"{client}, straight at the mock"),
        Subject(name=THROUGH, role="reference", what=f"{client}, through the gateway"),
        Subject(name=OURS, role="ours", what="the gateway's journal"),
    ]


BENCHMARK = Benchmark("clock", "How far recorded times are from the server's own.", measure)
