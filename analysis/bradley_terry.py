"""Bradley-Terry strengths from comparisons, with the effect of being shown first."""

from __future__ import annotations

import numpy as np

MOST_STEPS = 100
TOLERANCE = 1e-10


def fit_strengths(
    points: np.ndarray, games: np.ndarray, *, virtual_ties: float = 0.0
) -> tuple[np.ndarray, float]:
    """Maximum likelihood of logit P(first wins) = strength of the first - strength of the second + order.

    Bradley and Terry, Biometrika 39 (1952) 324; with an order effect as in Agresti: Categorical Data
    Analysis, 2nd ed. (2002), section 10.6. Newton's method from zero.

    Args:
        points: [i, j]: what i got when shown first beside j; a win is 1, a tie 0.5.
        games: [i, j]: how often i was shown first beside j.
        virtual_ties: Added to each pair that met, half in each order, so that whoever won everything has
            a finite strength. 0: plain maximum likelihood, which then need not exist.

    Returns:
        Strengths in log-odds, their mean 0, and the order effect in log-odds.
    """
    met = (games + games.T) > 0
    np.fill_diagonal(met, val=False)
    first, second = np.nonzero(met)
    n = games[first, second] + virtual_ties / 2
    won = points[first, second] + virtual_ties / 4
    players = len(games)
    design = np.zeros((len(first), players + 1))
    design[np.arange(len(first)), first] = 1
    design[np.arange(len(first)), second] = -1
    design[:, -1] = 1
    estimate = np.zeros(players + 1)
    for _ in range(MOST_STEPS):
        expected = 1 / (1 + np.exp(-design @ estimate))
        information = design.T @ (design * (n * expected * (1 - expected))[:, None])
        # The shortest solution keeps the mean of the strengths at 0: a constant added to all changes nothing.
        step = np.linalg.lstsq(information, design.T @ (won - n * expected), rcond=1e-12)[0]
        estimate = estimate + np.clip(step, -1, 1)
        if np.abs(step).max(initial=0.0) < TOLERANCE:
            break
    return estimate[:-1], float(estimate[-1])
