"""Single runs on a time axis: the run, each agent's step, every call by its stages, and the gaps between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from analysis.read_runs import Runs
from analysis.stages import STAGES
from analysis.wording import seconds
from shared.calls import Call
from shared.latency import HELD, NS, stretches
from shared.records import RunRecord

MOST_CALLS = 60
"""Of one run; more rows than that nobody reads."""
STEP = len(STAGES)
"""Stands for an agent's step where a stage's place would stand."""
PLACE = {stage.field.removesuffix("_s"): place for place, stage in enumerate(STAGES)}
FRAMEWORK = PLACE["framework"]


@dataclass(frozen=True, slots=True)
class Bar:
    stage: int
    """Place in STAGES, or STEP."""
    start_s: float
    """From the call of the adapter."""
    length_s: float


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    bars: list[Bar]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Waterfall:
    subject: str
    title: str
    item: str
    iteration: int
    status: str
    seconds: float
    rows: list[Row]
    left_out: int
    """Calls beyond MOST_CALLS."""


def draw_waterfall(runs: Runs, record: RunRecord, calls: Sequence[Call]) -> Waterfall:
    subject = runs.naming.subject(record.key.framework, record.key.arm)
    start, end = _span(record, calls)
    shown = sorted(calls, key=lambda call: call.arrived_s)[:MOST_CALLS]
    return Waterfall(
        subject=subject,
        title=runs.title(subject),
        item=record.key.item,
        iteration=record.key.iteration,
        status=record.status,
        seconds=end - start,
        rows=[
            _run_row(record, calls, start, end),
            *_steps(calls, start, end),
            *(Row(_name(call), _bars([call], start), _detail(call)) for call in shown),
        ],
        left_out=len(calls) - len(shown),
    )


def _span(record: RunRecord, calls: Sequence[Call]) -> tuple[float, float]:
    """Of the run on the clock of the calls; of the calls alone where it is not known when the run began."""
    if record.started_s is not None and record.latency_s is not None:
        return record.started_s, record.started_s + record.latency_s + record.rate_limited_s
    return min(call.arrived_s for call in calls), max(_end(call) for call in calls)


def _run_row(record: RunRecord, calls: Sequence[Call], start: float, end: float) -> Row:
    """Everything on one line: what no call covers is the framework's."""
    gaps = []
    at = start
    for call in sorted(calls, key=lambda call: call.arrived_s):
        if min(call.arrived_s, end) > at:
            gaps.append(Bar(FRAMEWORK, at - start, min(call.arrived_s, end) - at))
        at = min(max(at, _end(call)), end)
    if end > at:
        gaps.append(Bar(FRAMEWORK, at - start, end - at))
    known = "" if record.started_s is not None else "; when it began is not known, so it starts at a call"
    return Row("Run", [*gaps, *_bars(calls, start)], f"{seconds(end - start)}, {record.status}{known}")


def _steps(calls: Sequence[Call], start: float, end: float) -> Iterator[Row]:
    """Each from the end of the calls before its first to the end of its last; the last to the run's end."""
    mine: dict[str, list[Call]] = {}
    for call in sorted(calls, key=lambda call: call.arrived_s):
        if call.agent:
            mine.setdefault(call.agent, []).append(call)
    last = max((_end(call) for own in mine.values() for call in own), default=end)
    for agent, own in mine.items():
        earlier = [_end(call) for call in calls if _end(call) <= own[0].arrived_s]
        since = max(earlier, default=start)
        until = max(_end(call) for call in own)
        until = end if until == last else until
        yield Row(
            _short(agent), [Bar(STEP, since - start, until - since)], f"its step: {seconds(until - since)}"
        )


def _bars(calls: Iterable[Call], start: float) -> list[Bar]:
    return [
        Bar(PLACE[s.stage], s.start / NS - start, (s.end - s.start) / NS)
        for call in calls
        for s in stretches(call)
        if s.stage != HELD
    ]


def _name(call: Call) -> str:
    what = call.path.rstrip("/").rpartition("/")[2] if call.kind == "tool" else "model"
    failed = f", failed {call.status}" if call.failed else ""
    return f"{call.sequence} {_short(what)}{failed}"


def _detail(call: Call) -> str:
    words = [f"of {_short(call.agent)}" if call.agent else "of no agent"]
    if call.kind == "model":
        words.append("streamed" if call.streamed else "not streamed")
    if call.prompt_tokens is not None:
        words.append(f"{call.prompt_tokens:,} tokens in, {call.completion_tokens or 0:,} out")
    if call.asked:
        spent = sum(asked.seconds for asked in call.asked)
        words.append(f"{seconds(spent)} of the model, which plays somebody in this tool")
    if call.rate_limited_s:
        words.append(f"waited {seconds(call.rate_limited_s)} for the service's rate limit")
    if call.retry_of is not None:
        words.append(f"repeats call {call.retry_of}")
    return "; ".join(words)


def _end(call: Call) -> float:
    return max(call.last_byte_s, call.delivered_s or call.last_byte_s)


def _short(text: str) -> str:
    """Names come from the plan or the wire and may be of any length."""
    return text if len(text) <= 24 else f"{text[:23]}…"
