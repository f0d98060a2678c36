"""Prediction-powered means: closed forms, the authors' library, and coverage on a known truth."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.clustered_mean import Mean
from analysis.prediction_powered import (
    Scored,
    judge_mean,
    plain_weight,
    prediction_powered_mean,
    tuned_mean,
    tuned_weight,
)

nan = np.nan
TRUTH = 6.0


def scored(
    judge: list[float] | np.ndarray,
    people: list[float] | np.ndarray,
    cluster: np.ndarray | None = None,
    weights: list[float] | None = None,
) -> Scored:
    cluster = np.arange(len(judge)) if cluster is None else cluster
    return Scored(
        judge=np.array(judge, dtype=float),
        people=np.array(people, dtype=float),
        weights=np.ones(len(judge)) if weights is None else np.array(weights),
        cluster=cluster,
        clusters=int(cluster.max()) + 1,
    )


def test_the_plain_estimate_is_judge_over_all_plus_people_less_judge() -> None:
    """The weight of the others' share gives the textbook form, whatever the scores."""
    case = scored([8, 9, 7, 9, 10, 6], [5, 7, 4, nan, nan, nan])
    found = prediction_powered_mean(case, plain_weight(case))
    assert found.value == pytest.approx((8 + 9 + 7 + 9 + 10 + 6) / 6 + (-3 - 2 - 3) / 3)


@pytest.mark.parametrize(
    ("weight", "value", "error"),
    [
        (0, 5.7, 0.4483302354291981),
        (0.5, 5.816666666666666, 0.3553688746036112),
        (1, 5.933333333333334, 0.37966847136435794),
    ],
)
def test_estimates_of_the_authors_library(weight: float, value: float, error: float) -> None:
    """Value and standard error are those of ppi-python 0.2.3 (`ppi_mean_pointestimate`, `ppi_mean_ci`), whose
    variances have n where ours have n - 1.
    """
    people, judge = [5, 7, 4, 6, 8, 3, 6, 5, 7, 6], [7, 9, 7, 8, 9, 6, 7, 8, 9, 7]
    others = [8, 9, 7, 6, 10, 8, 7, 9, 8, 8, 7, 9, 6, 8, 9]
    n, m = len(people), len(others)
    found = prediction_powered_mean(scored([*judge, *others], [*people, *[nan] * m]), weight)
    assert found.value == pytest.approx(value)
    rated, rest = (found.errors[:n] ** 2).sum(), (found.errors[n:] ** 2).sum()
    assert np.sqrt(rated * (n - 1) / n + rest * (m - 1) / m) == pytest.approx(error)


def test_tuned_weight_in_closed_form() -> None:
    """With single reports: Cov(people, judge) / (Var(judge) (1 + n / others)), all of the rated."""
    random = np.random.default_rng(2)
    judge = random.normal(7, 1, 30)
    people = judge + random.normal(-2, 1, 30)
    people[12:] = nan
    slope = np.cov(people[:12], judge[:12])[0, 1] / np.var(judge[:12], ddof=1)
    assert tuned_weight(scored(judge, people)) == pytest.approx(slope / (1 + 12 / 18))


def test_variance_in_closed_form() -> None:
    """With single reports as clusters: var(people - w judge) / n + w^2 var(judge) / others."""
    random = np.random.default_rng(2)
    judge, people = random.normal(7, 1, 30), random.normal(5, 1, 30)
    people[12:] = nan
    for weight in (0, 0.3, 1):
        found = prediction_powered_mean(scored(judge, people), weight)
        left = np.var(people[:12] - weight * judge[:12], ddof=1) / 12
        assert found.standard_error**2 == pytest.approx(left + weight**2 * np.var(judge[12:], ddof=1) / 18)


def test_copies_weigh_and_add_no_evidence() -> None:
    """Three runs with one text count three times in the mean and as one report in its error."""
    one = scored([8, 6, 7], [5, 4, 6], weights=[3, 1, 1])
    assert prediction_powered_mean(one, 0).value == pytest.approx((3 * 5 + 4 + 6) / 5)
    assert prediction_powered_mean(one, 0).freedom == 2


def test_all_rated_is_people_alone() -> None:
    """Where people rated everything the judge has no say."""
    case = scored([8, 6, 7, 9], [5, 4, 6, 7])
    found, weight = tuned_mean(case)
    assert (found.value, weight) == (5.5, 0.0)


def test_a_judge_that_gives_one_score_is_given_no_weight() -> None:
    """A constant judge predicts nothing: tuned, people's mean remains."""
    found, weight = tuned_mean(scored([9.0] * 6, [5, 4, 6, nan, nan, nan]))
    assert (found.value, weight) == (5.0, 0.0)


def test_a_contrary_judge_is_given_no_weight() -> None:
    """A judge that goes down where people go up gets 0, not less."""
    assert tuned_weight(scored([9, 8, 7, 6, 5], [1, 2, 3, nan, nan])) == 0


def test_reports_of_one_item_are_one_piece_of_evidence() -> None:
    """The same reports five times over on the same items leave the error where it was."""
    judge, people = np.array([8.0, 6, 9, 7, 5]), np.array([5.0, 4, 7, 6, 3])
    once = prediction_powered_mean(scored(judge, people), 0)
    items = np.repeat(np.arange(5), 5)
    many = prediction_powered_mean(scored(np.repeat(judge, 5), np.repeat(people, 5), items), 0)
    assert many.standard_error == pytest.approx(once.standard_error)
    assert many.freedom == once.freedom == 4


def test_differences_of_paired_reports() -> None:
    """On shared items what both frameworks have in common cancels: the paired t interval."""
    from scipy import stats

    a, b = np.array([5.0, 7, 4, 8, 6, 9]), np.array([4.0, 6, 2, 7, 5, 9])
    found = prediction_powered_mean(scored(a, a), 0).minus(prediction_powered_mean(scored(b, b), 0))
    interval = stats.ttest_rel(a, b).confidence_interval()
    estimate = found.estimate()
    assert (estimate.low, estimate.high) == pytest.approx((interval.low, interval.high))


def test_no_interval_without_freedom() -> None:
    """One cluster has no spread to go by."""
    assert Mean(5.0, np.zeros(1), 0).estimate().low is None


def made(random: np.random.Generator, items: int, per_item: int, rated: int, item_sd: float) -> Scored:
    """Reports whose people's score is TRUTH plus item, report and rating noise, rounded as scores are; a judge
    two points too kind that sees half of it; `rated` of them at random.
    """
    item = np.repeat(np.arange(items), per_item)
    quality = TRUTH + random.normal(0, item_sd, items)[item] + random.normal(0, 1, len(item))
    people = quality + random.normal(0, 0.5, len(item))
    judge = np.round(quality * 0.8 + 3 + random.normal(0, 0.8, len(item)))
    people[random.permutation(len(item))[rated:]] = nan
    return scored(judge, people, item if per_item > 1 else None)


@pytest.mark.parametrize(
    ("items", "per_item", "rated", "item_sd"),
    [(60, 1, 10, 0), (60, 1, 30, 0), (12, 4, 20, 0.7), (8, 3, 12, 0.7)],
)
def test_coverage(items: int, per_item: int, rated: int, item_sd: float) -> None:
    """95 % intervals of people, corrected and tuned means hold the truth 93 to 97 times in a hundred; the
    uncorrected judge's hardly ever does.
    """
    random = np.random.default_rng(11)
    repeats = 1500
    held = dict.fromkeys(("judge", "people", "corrected", "tuned"), 0)
    for _ in range(repeats):
        case = made(random, items, per_item, rated, item_sd)
        estimates = {
            "judge": judge_mean(case),
            "people": prediction_powered_mean(case, 0),
            "corrected": prediction_powered_mean(case, plain_weight(case)),
            "tuned": tuned_mean(case)[0],
        }
        for name, mean in estimates.items():
            found = mean.estimate()
            held[name] += found.low <= TRUTH <= found.high
    shares = {name: count / repeats for name, count in held.items()}
    assert shares.pop("judge") < 0.1
    assert all(0.93 <= share <= 0.97 for share in shares.values()), shares


def test_tuning_narrows_the_interval() -> None:
    """With a judge that predicts people the tuned interval is narrower than people's alone, on average."""
    random = np.random.default_rng(12)
    widths = np.array(
        [
            (tuned_mean(case)[0].standard_error, prediction_powered_mean(case, 0).standard_error)
            for case in (made(random, 100, 1, 20, 0) for _ in range(200))
        ]
    )
    assert widths[:, 0].mean() < 0.85 * widths[:, 1].mean()
