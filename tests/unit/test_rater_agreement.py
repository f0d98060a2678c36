"""Agreement among raters: known answers."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.clustered_resamples import RESAMPLES, cluster_draws, spearman
from analysis.krippendorff import resampled_alpha
from analysis.rater_agreement import leniencies, noise_variance

nan = np.nan
# Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011, part E: 4 observers, 12 units, one of them
# with a single value; alpha of its interval scale is .849.
TEXTBOOK = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
        [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
    ]
).T
# The example of Wikipedia's article "Krippendorff's alpha": interval alpha 0.811.
ENCYCLOPEDIA = np.array(
    [
        [nan, nan, nan, nan, nan, 3, 4, 1, 2, 1, 1, 3, 3, nan, 3],
        [1, nan, 2, 1, 3, 3, 4, 3, nan, nan, nan, nan, nan, nan, nan],
        [nan, nan, 2, 1, 3, 4, 4, nan, 2, 1, 1, 3, 3, nan, 4],
    ]
).T


# krippendorff 0.9.0 (PyPI) gives 0.08673635181975747 for these; random scores, a fifth missing.
RANDOM = np.array(
    [
        [9, nan, nan, 3, 4, 1, nan, 1, 2, nan, 7, 10, 6, 7, 10, 8, 7, 6, 6, 10,
         3, 9, 7, 1, 4, 9, 6, 1, nan, 8, 9, 2, nan, 9, 1, 6, nan, 3, 5, 5],
        [5, 1, 1, 2, 1, 7, 6, 7, nan, 7, 8, nan, 5, nan, 9, 10, 4, nan, 10, nan,
         9, 7, 8, 4, 9, 2, 6, 8, nan, 6, 4, 4, 5, 5, 8, 9, 1, 10, 6, 4],
        [7, 6, 3, nan, 8, 6, nan, 4, 8, 4, nan, 9, nan, 3, 8, 7, 1, nan, 4, nan,
         5, 8, 4, 3, 8, 9, 1, 1, 7, 4, 6, 2, 9, nan, 9, 8, 8, 3, 8, 1],
    ]
).T  # fmt: skip


def pairable(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values).sum(axis=1) > 1]


@pytest.mark.parametrize(("values", "alpha"), [(TEXTBOOK, 0.849), (ENCYCLOPEDIA, 0.811)])
def test_alpha_of_published_examples(values: np.ndarray, alpha: float) -> None:
    """Krippendorff's alpha for interval data is the published one."""
    units = pairable(values)
    assert resampled_alpha(units, np.ones((1, len(units))))[0] == pytest.approx(alpha, abs=0.0005)


def test_alpha_is_that_of_a_library() -> None:
    """On random scores with gaps it is what another implementation gives, to the last digits."""
    units = pairable(RANDOM)
    assert resampled_alpha(units, np.ones((1, len(units))))[0] == pytest.approx(
        0.08673635181975747, abs=1e-12
    )


def test_alpha_of_a_resample_is_the_alpha_of_its_units() -> None:
    """A unit of weight two counts as if it were there twice, and one of weight nought as if it were not."""
    units = pairable(TEXTBOOK)
    weights = np.arange(len(units)) % 3
    repeated = np.repeat(units, weights, axis=0)
    assert resampled_alpha(units, weights[None, :].astype(float))[0] == pytest.approx(
        resampled_alpha(repeated, np.ones((1, len(repeated))))[0]
    )


def test_alpha_of_equal_scores_is_no_number() -> None:
    """Where all scores are equal there is nothing to agree on beyond chance."""
    assert np.isnan(resampled_alpha(np.full((4, 2), 7.0), np.ones((1, 4)))[0])


def test_leniency_of_crossed_raters_is_their_mean() -> None:
    """Where every rater rated every report, leniency is the rater's mean less the mean of all."""
    values = np.array([[5.0, 7.0, 6.0], [2.0, 4.0, 6.0], [8.0, 9.0, 4.0]])
    assert leniencies(values) == pytest.approx(values.mean(axis=0) - values.mean())


def test_leniency_is_told_apart_from_quality() -> None:
    """Raters who saw reports of other quality keep their own effect; no noise is left over."""
    quality = np.array([2.0, 3.0, 5.0, 8.0, 9.0])
    effects = np.array([-1.0, 0.0, 1.0])
    values = quality[:, None] + effects
    values[0, 2] = values[1, 2] = values[3, 0] = values[4, 0] = values[2, 1] = nan
    assert leniencies(values) == pytest.approx(effects)
    assert noise_variance(values, leniencies(values)) == pytest.approx(0, abs=1e-12)


def test_leniency_of_raters_who_share_nothing_is_not_known() -> None:
    """Two raters without a report in common: leniency and quality cannot be told apart."""
    values = np.array([[5.0, nan], [nan, 7.0]])
    assert np.isnan(leniencies(values)).all()
    assert noise_variance(values, leniencies(values)) is None


def test_noise_variance_of_crossed_raters() -> None:
    """The residual mean square of a two-way table without replication, by hand: 1.0 for these four scores."""
    values = np.array([[1.0, 2.0], [3.0, 6.0]])
    # Residuals of report + rater are +-0.5 four times, with (2 - 1)(2 - 1) degrees of freedom.
    assert noise_variance(values, leniencies(values)) == pytest.approx(1.0)


def test_rank_correlation_of_draws() -> None:
    """Each draw's Spearman is SciPy's of the observations as often as they were drawn, ties included."""
    from scipy import stats

    random = np.random.default_rng(3)
    x, y = random.integers(1, 6, 12).astype(float), random.integers(1, 6, 12).astype(float)
    draws = cluster_draws(np.repeat(np.arange(6), 2))
    assert draws is not None
    assert draws.shape == (RESAMPLES, 12)
    found = spearman(x, y, draws[:20])
    for draw, value in zip(draws[:20].astype(int), found, strict=True):
        expected = stats.spearmanr(np.repeat(x, draw), np.repeat(y, draw)).statistic
        assert value == pytest.approx(expected, nan_ok=True)
