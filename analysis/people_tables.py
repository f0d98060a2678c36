"""Tables of what people's ratings tell."""

from __future__ import annotations

from analysis.people_result import Calibration, Corrected, Estimate, People, Scope
from analysis.rater_agreement import INCONSISTENT_POINTS
from analysis.result import Analysis
from analysis.tables import MISSING, Cell, Table, number, plain_cells, share, titled


def with_interval(estimate: Estimate, digits: int = 2) -> str:
    if estimate.value is None:
        return estimate.reason or MISSING
    value = number(estimate.value, digits)
    if estimate.low is None or estimate.high is None:
        return f"{value} ({estimate.reason})" if estimate.reason else value
    return f"{value} ({number(estimate.low, digits)} to {number(estimate.high, digits)})"


def _named(analysis: Analysis, name: str) -> Cell:
    """A table of runs made before its records' last runs lacks a framework."""
    found = analysis.frameworks.get(name)
    return titled(name, found) if found else Cell(name)


def agreement_table(people: People) -> Table | None:
    rows = [
        [
            Cell(name.capitalize()),
            *plain_cells([str(found.reports), with_interval(found.alpha), number(found.noise_sd)]),
        ]
        for name, found in people.agreement.items()
    ]
    if len(people.raters) < 2:
        return None
    return Table(
        "rater-agreement",
        "Agreement among raters",
        ("Criterion", "Reports with two raters", "Krippendorff's alpha", "Noise of one rating (points)"),
        rows,
        "Alpha is 1 for full agreement and 0 for what chance gives; from 0.8 on it is customarily called "
        "reliable, below 0.667 not even tentative.",
    )


def raters_table(people: People) -> Table | None:
    if not people.raters:
        return None
    rows = [
        [
            Cell(name.capitalize()),
            *plain_cells(
                [
                    str(rater.reports),
                    number(rater.mean),
                    number(rater.leniency),
                    str(rater.repeats),
                    number(rater.repeat_difference),
                    number(rater.repeat_correlation),
                    number(rater.median_seconds, 0, unit=" s"),
                ]
            ),
            Cell("inconsistent" if rater.inconsistent else "", strong=rater.inconsistent),
        ]
        for name, rater in people.raters.items()
    ]
    return Table(
        "raters",
        "The raters",
        (
            *("Rater", "Reports", "Mean score", "Leniency", "Shown again", "Apart by", "Correlation"),
            *("Time per report", "Remark"),
        ),
        rows,
        "Leniency: above the other raters on the same reports. Apart by: mean absolute difference of the "
        f"scores of both showings; from {INCONSISTENT_POINTS:g} points on the rater is called inconsistent, "
        "and still counts.",
        frozenset({8}),
    )


def judges_table(people: People) -> Table | None:
    rows = [
        [
            Cell(judge),
            Cell(name.capitalize()),
            *plain_cells(
                [
                    str(found.n),
                    with_interval(found.rank_correlation),
                    with_interval(found.bias),
                    number(found.slope),
                    number(found.intercept),
                ]
            ),
        ]
        for judge, against in people.judges.items()
        for name, found in against.criteria.items()
    ]
    if not rows:
        return None
    return Table(
        "judge-people",
        "Judges against people",
        (
            *("Judge", "Criterion", "Reports", "Rank correlation", "Judge less people (points)"),
            *("Slope", "Intercept"),
        ),
        rows,
        "In brackets the 95 % interval. Slope and intercept: people's score as a line over the judge's; 1 "
        "and 0 where its points are theirs.",
        frozenset({1}),
    )


def calibration_tables(people: People) -> list[Table]:
    """By judge: what people say of the reports to which it gave one score."""
    return [
        _calibration(f"calibration-{place}", judge, against.criteria)
        for place, (judge, against) in enumerate(people.judges.items(), start=1)
    ]


def _calibration(id_: str, judge: str, criteria: dict[str, Calibration]) -> Table:
    steps = {name: {step.judge: step for step in found.steps} for name, found in criteria.items()}
    scores = sorted({score for found in steps.values() for score in found})
    rows = [
        [
            Cell(str(score)),
            *plain_cells(
                f"{step.people:.2f} ({step.n})" if (step := found.get(score)) else MISSING
                for found in steps.values()
            ),
        ]
        for score in scores
    ]
    return Table(
        id_,
        f"People's mean score where {judge} gave this one (reports in brackets)",
        ("Score of the judge", *(name.capitalize() for name in criteria)),
        rows,
    )


def corrected_tables(analysis: Analysis, people: People) -> list[Table]:
    """By judge: each framework's mean three ways."""
    return [
        Table(
            f"corrected-quality-{place}",
            f"Mean overall score: {judge}, people, and the judge corrected by people",
            (
                *("Framework", "Rated reports", "Judge alone", "People alone"),
                *("Corrected", "Corrected, tuned", "Weight of the judge"),
            ),
            [_corrected_row(_named(analysis, name), found) for name, found in against.frameworks.items()],
            _scope_note(against.scope),
        )
        for place, (judge, against) in enumerate(people.judges.items(), start=1)
    ]


def _corrected_row(head: Cell, found: Corrected) -> list[Cell]:
    texts = [with_interval(each) for each in (found.judge, found.people, found.corrected)]
    return [
        head,
        *plain_cells([f"{found.rated} of {found.reports}", *texts]),
        Cell(with_interval(found.tuned), strong=found.tuned.low is not None),
        Cell(number(found.weight)),
    ]


def _scope_note(scope: Scope) -> str:
    end = (
        "Too few items have ratings for items to be the unit: the intervals hold for these items only."
        if scope == "these_items"
        else "Items are the unit, so the intervals hold for other items of this kind too."
    )
    return (
        "Prediction-powered inference: the judge's mean over all reports plus the mean of people less judge "
        "over the rated ones; tuned weighs the judge by how well it predicts people. It holds if the rated "
        f"reports are random ones, for these raters. {end}"
    )


def differences_table(analysis: Analysis, people: People) -> Table | None:
    rows = [
        [
            Cell(f"{_named(analysis, found.a).text} – {_named(analysis, found.b).text}"),  # noqa: RUF001 - typography
            *plain_cells([judge, number(found.judge)]),
            Cell(with_interval(found.tuned), strong=_excludes_zero(found.tuned)),
        ]
        for judge, against in people.judges.items()
        for found in against.differences
    ]
    if not rows:
        return None
    return Table(
        "corrected-differences",
        "Differences in mean overall score",
        ("Pair", "Judge", "Judge alone", "Corrected, tuned"),
        rows,
        "Bold where the interval excludes 0. Intervals of several pairs are not corrected for their number.",
        frozenset({1}),
    )


def _excludes_zero(estimate: Estimate) -> bool:
    return estimate.low is not None and estimate.high is not None and estimate.low * estimate.high > 0


def plan_table(people: People) -> Table | None:
    rows = [
        plain_cells([judge, str(point.rated), str(point.raters), f"±{point.half_width:.2f}"])
        for judge, against in people.judges.items()
        if against.plan
        for point in against.plan.points
    ]
    if not rows:
        return None
    return Table(
        "rating-plan",
        "How wide the interval of a difference would be (points)",
        ("Judge", "Rated reports per framework", "Raters per report", "Half width"),
        rows,
        "The first row of each judge is about today's. Assumed: frameworks vary alike, what items add stays "
        "in proportion, and rated reports are random ones.",
    )


def preferences_table(analysis: Analysis, people: People) -> Table | None:
    rows = [
        [
            _named(analysis, name),
            *plain_cells([str(found.pairs), str(found.wins), str(found.ties), share(found.share)]),
        ]
        for name, found in people.preferences.items()
    ]
    if not rows:
        return None
    return Table(
        "preferences",
        "People's preferences between two reports on the same item",
        ("Framework", "Pairs", "Preferred", "Ties", "Share, ties counting half"),
        rows,
    )


def comparisons_table(people: People) -> Table | None:
    rows = [
        plain_cells([judge, str(found.pairs), str(found.decided), str(found.agree), _percent(found.share)])
        for judge, found in people.comparisons.items()
    ]
    if not rows:
        return None
    return Table(
        "comparisons-people",
        "Judges' comparisons beside people's preferences, on the same pairs",
        ("Judge", "Pairs", "Both decided", "Same choice", "Share"),
        rows,
        "One half is what chance gives.",
    )


def _percent(estimate: Estimate) -> str:
    if estimate.value is None:
        return estimate.reason or MISSING
    return f"{share(estimate.value)} ({share(estimate.low)} to {share(estimate.high)})"
