"""People's preferences between two reports on one item, and whether a judge's comparisons agree with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from scipy import stats

from analysis.people_result import Estimate, PairAgreement, Preferred

POINTS = {"first": 1.0, "tie": 0.5, "second": 0.0}
"""For the report shown first."""
Opinion = tuple[str, str, str]
"""Report shown first, report shown second, winner."""


def count_preferences(
    preferences: Iterable[Opinion], subjects: Mapping[str, Sequence[str]]
) -> dict[str, Preferred]:
    """By framework. A pair of one framework's own reports, or of one shared text, is no contest.

    Args:
        preferences: Of people.
        subjects: Report -> whose it is.
    """
    points: dict[str, list[float]] = {}
    for first, second, winner in preferences:
        ours, theirs = set(subjects[first]), set(subjects[second])
        for subject in sorted(ours - theirs if theirs - ours else ()):
            points.setdefault(subject, []).append(POINTS[winner])
        for subject in sorted(theirs - ours if ours - theirs else ()):
            points.setdefault(subject, []).append(1 - POINTS[winner])
    return {
        subject: Preferred(
            pairs=len(found),
            wins=found.count(1.0),
            ties=found.count(0.5),
            share=sum(found) / len(found),
        )
        for subject, found in sorted(points.items())
    }


def agree_on_pairs(judge: Iterable[Opinion], people: Iterable[Opinion]) -> PairAgreement:
    """On unordered pairs: each side's opinion is the mean over orders, repeats and raters."""
    ours, theirs = _lean(judge), _lean(people)
    both = sorted(ours.keys() & theirs.keys())
    decided = [pair for pair in both if ours[pair] and theirs[pair]]
    agree = sum(ours[pair] == theirs[pair] for pair in decided)
    return PairAgreement(
        pairs=len(both), decided=len(decided), agree=agree, share=_proportion(agree, len(decided))
    )


def _lean(opinions: Iterable[Opinion]) -> dict[tuple[str, str], int]:
    """1: the pair's first report in the order of their names is better; -1: the second; 0: neither."""
    points: dict[tuple[str, str], list[float]] = {}
    for first, second, winner in opinions:
        if first == second:
            continue
        ordered = first < second
        pair = (first, second) if ordered else (second, first)
        points.setdefault(pair, []).append(POINTS[winner] if ordered else 1 - POINTS[winner])
    return {pair: _sign(sum(found) - len(found) / 2) for pair, found in points.items()}


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _proportion(count: int, total: int) -> Estimate:
    if not total:
        return Estimate(reason="no pair that both decided")
    interval = stats.binomtest(count, total).proportion_ci(method="wilson")
    return Estimate(value=count / total, low=float(interval.low), high=float(interval.high))
