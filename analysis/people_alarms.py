"""What people's ratings give reason to distrust: the judge, the raters, the choice of reports."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.alarm import alarm
from analysis.krippendorff import LOWEST_USABLE
from analysis.people_result import OVERALL, JudgeAgainstPeople, People
from analysis.rater_agreement import INCONSISTENT_POINTS
from analysis.result import Alarm
from analysis.wording import listing, plural

ENOUGH_REPORTS = 30
"""From so many on, 92 in 100 intervals of a judge with a rank correlation of 0.6 are above 0 (simulated; 74
with 20): below, nothing is said against it."""


def people_alarms(people: People | None) -> Iterator[Alarm]:
    if people is None:
        return
    for judge, found in people.judges.items():
        yield from _rank(judge, found)
        if found.chosen:
            yield alarm(
                "rated_not_random",
                "medium",
                f"The reports that people rated are no random ones: {'; '.join(found.chosen)}. What is "
                f"corrected by them ({judge}) holds only if they are.",
                judge=judge,
                reasons=found.chosen,
            )
    yield from _raters(people)


def _rank(judge: str, found: JudgeAgainstPeople) -> Iterator[Alarm]:
    overall = found.criteria.get(OVERALL)
    if overall is None or overall.n < ENOUGH_REPORTS:
        return
    rank = overall.rank_correlation
    if rank.low is not None and rank.low > 0:
        return
    if rank.value is None:
        words = f"it cannot be told ({rank.reason})"
    elif rank.low is None or rank.high is None:
        return
    else:
        words = f"their rank correlation is {rank.value:.2f} ({rank.low:.2f} to {rank.high:.2f})"
    yield alarm(
        "judge_against_people",
        "high",
        f"On {overall.n} reports {judge} has not been shown to rank reports as people do: {words}. Its "
        "differences between frameworks need not be theirs.",
        judge=judge,
        reports=overall.n,
        rank_correlation=rank.value,
        low=rank.low,
        high=rank.high,
    )


def _raters(people: People) -> Iterator[Alarm]:
    unsure = [name for name, rater in people.raters.items() if rater.inconsistent]
    if unsure:
        who = listing([name.capitalize() for name in unsure])
        yield alarm(
            "rater_inconsistent",
            "medium",
            f"{who} scored the same reports {INCONSISTENT_POINTS:g} points apart or more on average when "
            "they were shown again. The ratings count as they are.",
            raters={name: people.raters[name].repeat_difference for name in unsure},
        )
    overall = people.agreement.get(OVERALL)
    alpha = overall.alpha if overall else None
    if overall and alpha and alpha.high is not None and alpha.high < LOWEST_USABLE:
        yield alarm(
            "raters_disagree",
            "medium",
            f"On {plural(overall.reports, 'report')} the raters agree little (Krippendorff's alpha "
            f"{alpha.value:.2f}, at most {alpha.high:.2f}): a judge cannot agree with them more than they "
            "do with each other.",
            alpha=alpha.value,
            low=alpha.low,
            high=alpha.high,
            reports=overall.reports,
        )
