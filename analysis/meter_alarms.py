"""Where meters disagree about tokens, and where requests were sent again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from analysis.alarm import alarm
from analysis.read_runs import Runs
from analysis.result import Alarm
from analysis.wire_result import MeterCheck, Meters
from analysis.wording import listing, plural

METER_TOLERANCE = 0.01


def meter_alarms(runs: Runs, meters: Mapping[str, Meters]) -> Iterator[Alarm]:
    for subject, found in meters.items():
        if found.own and _off(found.own):
            words = _words(f"{runs.title(subject)} counts", "tokens by its own meter", found.own)
            evidence = _evidence(subject, found.own)
            yield alarm("meter_mismatch", "medium", words, own=found.own.counted.total, **evidence)
        if found.server and _off(found.server):
            words = _words(
                f"In runs of {runs.title(subject)} the server's counters grew by", "tokens", found.server
            )
            evidence = _evidence(subject, found.server)
            yield alarm(
                "server_meter_mismatch", "medium", words, server=found.server.counted.total, **evidence
            )
    yield from _retries(runs, meters)


def _off(check: MeterCheck) -> bool:
    wire, counted = check.wire, check.counted
    # Some servers count only what they read anew.
    prompt = min(abs(counted.prompt - wire.prompt), abs(counted.prompt - (wire.prompt - check.cached)))
    completion = abs(counted.completion - wire.completion)
    return prompt > METER_TOLERANCE * wire.prompt or completion > METER_TOLERANCE * wire.completion


def _words(who: str, what: str, check: MeterCheck) -> str:
    wire, counted = check.wire, check.counted
    by = f" ({counted.total / wire.total - 1:+.0%})" if wire.total else ""
    return (
        f"{who} {counted.total:,.0f} {what} where the wire saw {wire.total:,.0f}{by}: input "
        f"{counted.prompt:,.0f} and {wire.prompt:,.0f}, output {counted.completion:,.0f} and "
        f"{wire.completion:,.0f}. Every figure here is the wire's."
    )


def _evidence(subject: str, check: MeterCheck) -> dict[str, Any]:
    return {
        "framework": subject,
        "wire": check.wire.total,
        "runs": check.runs,
        "prompt_ratio": check.prompt_ratio,
        "completion_ratio": check.completion_ratio,
    }


def _retries(runs: Runs, meters: Mapping[str, Meters]) -> Iterator[Alarm]:
    calls = {subject: int(found.retried_calls) for subject, found in meters.items() if found.retried_calls}
    if not calls:
        return
    tokens = sum(found.retried_tokens or 0 for found in meters.values())
    who = listing([f"{runs.title(subject)} {count}" for subject, count in calls.items()])
    yield alarm(
        "retried_calls",
        "medium",
        f"{plural(sum(calls.values()), 'request')} repeated one that had failed ({who}), at "
        f"{plural(int(tokens), 'token')} that are in no other count. The waiting is in the latency.",
        calls=calls,
        tokens=int(tokens),
    )
