"""What people's ratings tell, in words."""

from __future__ import annotations

from analysis.people_result import People
from analysis.wording import listing, plural


def people_sentences(people: People) -> list[str]:
    if people.problem:
        return [people.problem + "."]
    lines = []
    if people.ratings:
        lines.append(
            f"{plural(len(people.raters), 'rater')} gave {plural(people.ratings, 'rating')} of "
            f"{plural(people.reports_rated, 'distinct report')}, without knowing whose they were. Raters "
            "have numbers here, in the order of their first ratings."
        )
        how = (
            "is the mean over raters, each rater's leniency taken off"
            if people.treatment == "leniency_removed"
            else "is the plain mean over raters"
        )
        lines.append(f"People's score of a report {how} ({people.treatment_reason}).")
    if people.ignored:
        left = listing([f"{count} {reason}" for reason, count in people.ignored.items()])
        lines.append(f"Ratings and preferences that count nowhere: {left}.")
    return lines


def plan_sentences(people: People) -> list[str]:
    several = len(people.judges) > 1
    return [
        (f"With {judge}: " if several else "") + against.plan.sentence
        for judge, against in people.judges.items()
        if against.plan
    ]
