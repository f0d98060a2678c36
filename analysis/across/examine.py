"""Analyses of single tasks -> what holds in all of them.

A claim for all tasks needs each task's own test: its error rate is then at most that of one test, however
many tasks there are (an intersection-union test), so nothing is corrected over tasks. A mean over tasks is
never taken: a second of support is not a second of research.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analysis.across.result import AcrossTasks, Holding, Profile, TaskDifference, Verdict
from analysis.estimates.result import MetricEstimates, PairEstimate
from analysis.estimates.tables import NAMES
from analysis.result import Analysis, FrameworkResult
from analysis.significance_result import METRICS
from analysis.tables import MOST_PAIRS, signed_share
from analysis.wire_result import Interval
from analysis.wording import listing, plural

SETTLED: tuple[Verdict, ...] = ("all_higher", "all_lower", "mixed", "some")
"""Verdicts that say a difference is there, the plainest first."""


def across_tasks(tasks: Mapping[str, Analysis]) -> AcrossTasks:
    """`tasks`: by name, two or more."""
    holdings = sorted(_holdings(tasks), key=_place)
    return AcrossTasks(
        experiment=next(iter(tasks.values())).setup.experiment,
        tasks=dict(tasks),
        headline=_headline(tasks, holdings),
        sentences=[_sentence(holding) for holding in holdings if holding.verdict in SETTLED][:MOST_PAIRS],
        profiles=_profiles(tasks),
        holdings=holdings,
    )


def _profiles(tasks: Mapping[str, Analysis]) -> dict[str, dict[str, Profile]]:
    found: dict[str, dict[str, Profile]] = {}
    for task, analysis in tasks.items():
        for subject, framework in analysis.frameworks.items():
            found.setdefault(subject, {})[task] = _profile(subject, framework, analysis)
    return found


def _profile(subject: str, framework: FrameworkResult, analysis: Analysis) -> Profile:
    trials = analysis.consistency.get(subject)
    return Profile(
        title=framework.title,
        completed=framework.n,
        runs=framework.rows,
        passed=framework.checks.passed,
        accepted=trials.accepted / trials.trials if trials and trials.trials else None,
        quality=framework.quality,
        latency_s=framework.latency_s,
        tokens=framework.tokens,
    )


def _holdings(tasks: Mapping[str, Analysis]) -> Iterator[Holding]:
    for metric in METRICS:
        found: dict[tuple[str, str, str | None], dict[str, TaskDifference]] = {}
        for task, analysis in tasks.items():
            if estimates := analysis.estimates.get(metric):
                for pair in _pairs(analysis, estimates):
                    difference = _difference(pair, estimates)
                    found.setdefault((pair.a, pair.b, pair.arm), {})[task] = difference
        for (subject, reference, arm), differences in found.items():
            yield Holding(
                subject=subject,
                title=_title(tasks, subject),
                reference=_title(tasks, reference),
                metric=metric,
                arm=arm,
                tasks=differences,
                verdict=_verdict([differences.get(task) for task in tasks]),
            )


def _place(holding: Holding) -> tuple[int, int]:
    """Metric by metric, in each what is settled first."""
    settled = SETTLED.index(holding.verdict) if holding.verdict in SETTLED else len(SETTLED)
    return (METRICS.index(holding.metric), settled)


def _pairs(analysis: Analysis, estimates: MetricEstimates) -> Iterator[PairEstimate]:
    """Against the floor where it ran, else all; the second of each pair is the same in every task."""
    floors = {name for name, framework in analysis.frameworks.items() if framework.role == "floor"}
    with_floor = {family.arm for family in estimates.families if floors.intersection(family.subjects)}
    for pair in estimates.pairs:
        if pair.arm not in with_floor or pair.b in floors:
            yield pair
        elif pair.a in floors:
            yield _turned(pair)


def _turned(pair: PairEstimate) -> PairEstimate:
    """The same difference the other way round, as far as it is used here."""
    interval = pair.interval and Interval(low=-pair.interval.high, high=-pair.interval.low)
    difference = None if pair.mean_difference is None else -pair.mean_difference
    return pair.model_copy(
        update={"a": pair.b, "b": pair.a, "mean_difference": difference, "interval": interval}
    )


def _difference(pair: PairEstimate, estimates: MetricEstimates) -> TaskDifference:
    standing = estimates.best.get(pair.b)
    mean = (standing.mean if standing else None) or None
    return TaskDifference(
        share=pair.mean_difference / mean if pair.mean_difference is not None and mean else None,
        low=pair.interval.low / mean if pair.interval and mean else None,
        high=pair.interval.high / mean if pair.interval and mean else None,
        n_items=pair.n_items,
        higher=(pair.better == pair.a) == (estimates.metric == "quality") if pair.better else None,
        shown=pair.shown,
    )


def _verdict(differences: list[TaskDifference | None]) -> Verdict:
    """Of every task of the experiment: one in which it did not run, or cannot be tested, keeps "all" away."""
    tested = [found for found in differences if found and found.shown is not None]
    if not tested:
        return "unknown"
    ways = {found.higher for found in tested if found.shown}
    if not ways:
        return "none"
    if len(ways) > 1:
        return "mixed"
    if all(found is not None and found.shown for found in differences):
        return "all_higher" if ways == {True} else "all_lower"
    return "some"


def _sentence(holding: Holding) -> str:
    who = f"{holding.title} against {holding.reference}"
    metric = NAMES[holding.metric].lower()
    shown = [task for task, found in holding.tasks.items() if found.shown]
    match holding.verdict:
        case "all_higher" | "all_lower":
            return f"{who}: {metric} {holding.verdict.removeprefix('all_')} in every task{_range(holding)}."
        case "mixed":
            ways = [
                f"{'higher' if found.higher else 'lower'} in {task}"
                for task, found in holding.tasks.items()
                if found.shown
            ]
            return f"{who}: {metric} {listing(ways)}."
        case _:
            return f"{who}: a difference in {metric} is shown in {listing(shown)} only."


def _range(holding: Holding) -> str:
    shares = [found.share for found in holding.tasks.values() if found.share is not None]
    return f" ({signed_share(min(shares))} to {signed_share(max(shares))})" if shares else ""


def _title(tasks: Mapping[str, Analysis], subject: str) -> str:
    return next(a.frameworks[subject].title for a in tasks.values() if subject in a.frameworks)


def _headline(tasks: Mapping[str, Analysis], holdings: list[Holding]) -> str:
    everywhere = [holding for holding in holdings if holding.verdict in {"all_higher", "all_lower"}]
    unlike = [holding for holding in holdings if holding.verdict == "mixed"]
    count = plural(len(tasks), "task")
    if not any(holding.verdict != "unknown" for holding in holdings):
        return f"{count}, each by itself: in none are there enough items to tell frameworks apart."
    return (
        f"{count}, each by itself: {plural(len(everywhere), 'difference')} between frameworks "
        f"{'holds' if len(everywhere) == 1 else 'hold'} in all of them"
        + (
            f", {len(unlike)} turn{'s' if len(unlike) == 1 else ''} round from one task to another."
            if unlike
            else "."
        )
    )
