"""What came between a run and its measurement: other load, other traffic, late calls, a service's limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from analysis.alarm import alarm
from analysis.read_runs import Runs
from analysis.result import Alarm
from analysis.wire_result import QuarantinedRun
from analysis.wording import listing, plural
from shared.records import Status


def interference_alarms(runs: Runs, quarantined: Sequence[QuarantinedRun]) -> Iterator[Alarm]:
    yield from _disturbed([run for run in quarantined if run.code == "disturbed"])
    yield from _late_calls(runs, [run for run in quarantined if run.code == "late_calls"])
    yield from _contaminated(runs)
    yield from _rate_limited(runs)
    strays = runs.table["stray_calls"].sum()
    if strays:
        yield alarm(
            "stray_calls",
            "low",
            f"{plural(int(strays), 'call')} with an unknown or closed address came to a node during runs. "
            "They were refused; whoever sent them took some of the machine's time.",
            calls=int(strays),
            runs=int((runs.table["stray_calls"] > 0).sum()),
        )


def _disturbed(attempts: list[QuarantinedRun]) -> Iterator[Alarm]:
    if not attempts:
        return
    kept = sum(run.kept for run in attempts)
    rest = (
        f"{plural(kept, 'run')} had no undisturbed attempt: text, tokens and quality count, times do not."
        if kept
        else "Each was repeated, and only the undisturbed attempt counts."
    )
    yield alarm(
        "disturbed_runs",
        "medium" if kept else "low",
        f"In {plural(len(attempts), 'attempt')} the machine was busy with something else. {rest}",
        attempts=len(attempts),
        without_times=kept,
    )


def _late_calls(runs: Runs, attempts: list[QuarantinedRun]) -> Iterator[Alarm]:
    if not attempts:
        return
    subjects = Counter(run.framework for run in attempts)
    who = listing([f"{runs.title(subject)} {count}" for subject, count in subjects.most_common()])
    yield alarm(
        "late_calls",
        "high",
        f"In {plural(len(attempts), 'attempt')} the framework's process went on calling after its end and "
        f"reached into another run ({who}): nothing of them counts.",
        attempts=len(attempts),
        frameworks=dict(subjects),
    )


def _rate_limited(runs: Runs) -> Iterator[Alarm]:
    waited_s = runs.table["rate_limited_s"]
    if not waited_s.sum():
        return
    number = int((waited_s > 0).sum())
    yield alarm(
        "rate_limited",
        "low",
        f"In {plural(number, 'run')} calls waited because the model's service was asked too often: "
        f"{waited_s.sum():.0f} s in all, at most {waited_s.max():.0f} s. No latency has this waiting in it.",
        runs=number,
        seconds=float(waited_s.sum()),
    )


def _contaminated(runs: Runs) -> Iterator[Alarm]:
    last = int((runs.table["status"] == Status.CONTAMINATED).sum())
    attempts = max(len(runs.stored.contaminated), last)
    if not attempts:
        return
    rest = (
        f"{plural(last, 'run')} had no clean attempt and count nowhere."
        if last
        else "Each was repeated, and only the clean attempt counts."
    )
    yield alarm(
        "contaminated_runs",
        "medium" if last else "low",
        f"In {plural(attempts, 'attempt')} another run's request reached the node. {rest}",
        attempts=attempts,
        without_clean_attempt=last,
    )
