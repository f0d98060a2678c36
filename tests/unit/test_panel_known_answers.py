"""Figures of the panel against published answers and answers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.bradley_terry import fit_strengths
from analysis.krippendorff import krippendorff_alpha

N = math.nan
# Krippendorff: Computing Krippendorff's Alpha-Reliability (2011), section C: 12 units, 4 observers.
# Also the example of R's irr::kripp.alpha. Published: ordinal 0.815, interval 0.849.
RELIABILITY = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
        [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
    ]
).T

# Agresti: Categorical Data Analysis, 2nd ed. (2002), table 10.10: American League, 1987; data as in R's
# BradleyTerry2::baseball. A row per home team, wins and losses at home against each of the others in order.
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
HOME = {
    "Milwaukee": ((4, 3), (4, 2), (4, 3), (6, 1), (4, 2), (6, 0)),
    "Detroit": ((3, 3), (4, 2), (4, 3), (6, 0), (6, 1), (4, 3)),
    "Toronto": ((2, 5), (4, 3), (2, 4), (4, 3), (4, 2), (6, 0)),
    "New York": ((3, 3), (5, 1), (2, 5), (4, 3), (4, 2), (6, 1)),
    "Boston": ((5, 1), (2, 5), (3, 3), (4, 2), (5, 2), (6, 0)),
    "Cleveland": ((2, 5), (3, 3), (3, 4), (4, 3), (4, 2), (2, 4)),
    "Baltimore": ((2, 5), (1, 5), (1, 6), (2, 4), (1, 6), (3, 4)),
}


def baseball() -> tuple[np.ndarray, np.ndarray]:
    points, games = np.zeros((7, 7)), np.zeros((7, 7))
    for i, home in enumerate(TEAMS):
        for j, (won, lost) in zip([j for j in range(7) if j != i], HOME[home], strict=True):
            points[i, j], games[i, j] = won, won + lost
    return points, games


@pytest.mark.parametrize(("level", "published"), [("interval", 0.849), ("ordinal", 0.815)])
def test_alpha_of_the_textbook(level: str, published: float) -> None:
    """Krippendorff's own example, with missing scores, gives the figures that he prints."""
    assert krippendorff_alpha(RELIABILITY, level) == pytest.approx(published, abs=5e-4)


@given(
    st.lists(
        st.lists(st.sampled_from([1.0, 4.0, 7.0, 9.0, N]), min_size=3, max_size=3), min_size=1, max_size=8
    )
)
def test_alpha_is_that_of_its_definition(rows: list[list[float]]) -> None:
    """For any scores and gaps alpha is 1 - observed / expected disagreement, summed pair by pair."""
    units = [[x for x in row if not math.isnan(x)] for row in rows]
    units = [unit for unit in units if len(unit) > 1]
    values = [x for unit in units for x in unit]
    n = len(values)
    expected = sum((a - b) ** 2 for a in values for b in values) / (n * (n - 1)) if n else 0
    got = krippendorff_alpha(np.array(rows))
    if not expected:
        assert math.isnan(got)
        return
    observed = sum(sum((a - b) ** 2 for a in u for b in u) / (len(u) - 1) for u in units) / n
    assert got == pytest.approx(1 - observed / expected)


def test_strengths_without_order_as_published() -> None:
    """Agresti's table 10.11, column 3: strengths over Baltimore's when the home team is left out of account."""
    points, games = baseball()
    # Pooled over both orders the order effect has nothing to explain.
    points, games = points + (games - points).T, games + games.T
    strengths, order = fit_strengths(points, games)
    assert sorted(round(s, 2) for s in strengths - strengths[-1])[1:] == [0.68, 1.11, 1.25, 1.29, 1.44, 1.58]
    assert order == pytest.approx(0, abs=1e-9)


def test_strengths_with_order_as_published() -> None:
    """Agresti's table 10.11, column 5, and section 10.6.3: shares of strength, and 0.302 for the home team."""
    strengths, order = fit_strengths(*baseball())
    share = np.exp(strengths) / np.exp(strengths).sum()
    assert sorted(round(s, 3) for s in share) == [0.044, 0.088, 0.137, 0.157, 0.164, 0.190, 0.220]
    assert round(order, 3) == 0.302
    assert strengths.mean() == pytest.approx(0, abs=1e-9)


def test_virtual_ties_keep_a_sweep_finite() -> None:
    """Who wins every game of 10, and a judge that always says "first", have finite figures in the right order."""
    swept = np.array([[0.0, 5.0], [0.0, 0.0]])
    games = np.array([[0.0, 5.0], [5.0, 0.0]])
    strengths, order = fit_strengths(swept, games, virtual_ties=1)
    # By hand: logit of (5 + 0.25) / (5 + 0.5) in one order and of 0.25 / 5.5 in the other.
    assert strengths[0] - strengths[1] == pytest.approx(math.log(21))
    assert order == pytest.approx(0, abs=1e-9)
    strengths, order = fit_strengths(np.array([[0.0, 5.0], [5.0, 0.0]]), games, virtual_ties=1)
    assert strengths == pytest.approx([0, 0])
    assert order == pytest.approx(math.log(21))
