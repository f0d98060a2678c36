"""How many ratings are still worth collecting: the forecast against what then happens."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.prediction_powered import Scored, tuned_mean
from analysis.rating_plan import Spread, measure_spread, plan_ratings

FRAMEWORKS, REPORTS = 2, 200


def population(random: np.random.Generator, raters: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Reports of two frameworks: quality sd 1, ratings' noise sd 1 each, judge's noise sd 0.6; and quality."""
    n = FRAMEWORKS * REPORTS
    quality = random.normal(6, 1, n)
    table = pd.DataFrame(
        {
            "subject": np.repeat(["a", "b"], REPORTS),
            "judge": quality + 2 + random.normal(0, 0.6, n),
            "people": quality + random.normal(0, 1 / np.sqrt(raters), n),
            "raters": float(raters),
        }
    )
    return table, quality


def rated_only(table: pd.DataFrame, each: int) -> pd.DataFrame:
    place = table.groupby("subject").cumcount()
    return table.assign(people=table["people"].where(place < each))


def half_width(table: pd.DataFrame) -> float:
    """Of the difference between both frameworks, by the procedure that the report uses."""
    means = []
    for number, (_, rows) in enumerate(table.groupby("subject")):
        n = len(rows)
        cluster = np.arange(n) + number * n
        ones = np.ones(n)
        found = Scored(rows["judge"].to_numpy(), rows["people"].to_numpy(), ones, cluster, FRAMEWORKS * n)
        means.append(tuned_mean(found)[0])
    width = means[0].minus(means[1]).estimate().half_width
    assert width is not None
    return width


@pytest.mark.parametrize(("rated", "raters"), [(60, 2), (150, 2), (30, 4)])
def test_the_forecast_comes_true(rated: int, raters: int) -> None:
    """From 30 rated reports each by two raters, the width at more reports or raters is foretold to a tenth."""
    random = np.random.default_rng(4)
    foretold, found = [], []
    for _ in range(60):
        pilot = rated_only(population(random, 2)[0], 30)
        spread = measure_spread(pilot, noise=1.0)
        assert isinstance(spread, Spread)
        foretold.append(spread.half_width(REPORTS, rated, raters))
        found.append(half_width(rated_only(population(random, raters)[0], rated)))
    assert np.mean(foretold) == pytest.approx(np.mean(found), rel=0.1)


def test_spread_is_what_was_put_in() -> None:
    """Rating noise is taken off what is left about the line: sd 1 a rating, and of quality what judge leaves."""
    random = np.random.default_rng(6)
    table = pd.concat([population(random, 2)[0] for _ in range(20)])
    spread = measure_spread(table, noise=1.0)
    assert isinstance(spread, Spread)
    # Slope of quality on judge is 1 / 1.36, and it leaves 1 - 1 / 1.36 of quality's variance.
    assert spread.about_line == pytest.approx(1 - 1 / 1.36, rel=0.1)
    assert spread.judge == pytest.approx(1 / 1.36, rel=0.1)


def test_the_sentence_names_what_halves_the_interval() -> None:
    """The number of reports in the sentence is the least that halves the width, over both frameworks."""
    # Judge: 1 of 400 reports' variance; about the line 1: the width at n is t sqrt(2 (1/n + 0)).
    spread = Spread(about_line=1.0, noise=None, judge=0.0, raters=1.0)
    now = spread.half_width(400, 20, 1)
    least = next(n for n in range(20, 401) if spread.half_width(400, n, 1) <= now / 2)
    random = np.random.default_rng(8)
    judge = np.tile([6.0, 8.0], 400)
    people = random.permutation(np.tile([4.0, 6.0], 400)).astype(float)
    table = pd.DataFrame(
        {"subject": np.repeat(["a", "b"], 400), "judge": judge, "people": people, "raters": 1.0}
    )
    plan = plan_ratings(rated_only(table, 20), None)
    assert not isinstance(plan, str)
    assert (plan.reports, plan.rated, plan.raters) == (400, 20, 1)
    halved = next(p for p in [*plan.points] if p.half_width <= plan.half_width / 2)
    assert halved.rated >= least - 15
    assert " more rated reports (20 to " in plan.sentence
    assert "would halve the interval" in plan.sentence
    assert "not known: no report has two" in plan.sentence


def test_when_rating_everything_does_not_halve() -> None:
    """Where even all reports do not halve the width, the sentence says how far rating all goes."""
    random = np.random.default_rng(9)
    table, _ = population(random, 1)
    small = table.groupby("subject").head(30)
    plan = plan_ratings(rated_only(small, 20), 1.0)
    assert not isinstance(plan, str)
    assert plan.sentence.startswith("Rating all 20 reports that are left would narrow")
    assert "One more rater" in plan.sentence
    done = plan_ratings(small, 1.0)
    assert not isinstance(done, str)
    assert done.sentence.startswith("Every report is rated")


def test_widths_start_from_todays() -> None:
    """Where differences have intervals, the plan's first width is theirs and all others keep their proportion."""
    table = rated_only(population(np.random.default_rng(3), 1)[0], 30)
    plain, anchored = plan_ratings(table, None), plan_ratings(table, None, 2.0)
    assert not isinstance(plain, str)
    assert not isinstance(anchored, str)
    assert (plain.design, anchored.half_width) == (1.0, pytest.approx(2.0))
    widths = [(a.half_width / p.half_width) for a, p in zip(anchored.points, plain.points, strict=True)]
    assert widths == pytest.approx([anchored.design] * len(widths))


def test_too_few_ratings_are_refused() -> None:
    """Nine rated reports in all: no forecast, and how many it takes."""
    random = np.random.default_rng(10)
    assert plan_ratings(rated_only(population(random, 1)[0], 4), None) == "8 rated reports, 10 needed"
