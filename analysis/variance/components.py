"""Variance components of any table of measurements, all effects random and crossed or nested as they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import lsqr

VALUE = "value"
"""The column that holds the measurement."""
SINGULAR = 1e-9
"""Of equations scaled to a diagonal of 1."""


@dataclass(frozen=True)
class Within:
    """What is left of a variance once two classifications are taken out."""

    variance: float
    free: int
    """Degrees of freedom."""


def within_variance(rows: pd.DataFrame, group: str, beside: str) -> Within | None:
    """Residual variance of value = group + beside, by least squares; None without a degree of freedom.

    With a text as the group and its judge beside, this is the judge's noise; with framework and item as the
    group, what runs of one cell differ by; with an item and its frameworks, what the item makes of them.
    """
    if rows.empty:
        return None
    first, second = (pd.factorize(rows[column])[0] for column in (group, beside))
    n, n_first, n_second = len(rows), first.max() + 1, second.max() + 1
    # A level that meets no other group's adds no parameter of its own.
    size = n_first + n_second
    edges = csr_array((np.ones(n), (first, n_first + second)), shape=(size, size))
    rank = size - connected_components(edges, directed=False)[0]
    if (free := n - rank) < 1:
        return None
    place = np.arange(n)
    design = coo_array(
        (np.ones(2 * n), (np.tile(place, 2), np.concatenate([first, n_first + second]))), shape=(n, size)
    ).tocsr()
    values = rows[VALUE].to_numpy(dtype=float)
    apart = values - values.mean()
    residual = float(lsqr(design, apart, atol=1e-12, btol=1e-12)[3])
    # What least squares leaves of an exact fit is rounding.
    squares = residual**2 if residual**2 > 1e-18 * float(apart @ apart) else 0.0
    return Within(squares / free, int(free))


@dataclass(frozen=True)
class Components:
    variances: dict[str, float]
    """May be negative: that is the estimate."""
    confounded: list[str]
    """Factors left out: their levels cannot be told from those of the factors before them."""


def estimate_components(rows: pd.DataFrame, factors: Mapping[str, str], residual: float) -> Components:
    """Variances of the factors, the residual's being known (MINQUE with zero prior weights).

    Rao, J. Multivariate Anal. 1 (1971) 445: unbiased for unequal groups. The sum over a factor's levels of
    the squared sum of deviations is set equal to its expectation. With M centring and Z_k the indicators of
    factor k: q_k = |Z_k' M y|^2 = sum_l C_kl variance_l + C_ke residual, C_kl = |Z_k' M Z_l|^2,
    C_ke = |M Z_k|^2.

    Args:
        rows: A measurement per row, in VALUE, and the factors' columns.
        factors: Name -> column, each with two levels or more. Of two that cannot be told apart the later
            one is left out.
        residual: Variance of what no factor explains.
    """
    names = list(factors)
    levels = [pd.factorize(rows[column])[0] for column in factors.values()]
    apart = rows[VALUE].to_numpy(dtype=float)
    apart = apart - apart.mean()
    cross = np.array([_cross(a, b) for a in levels for b in levels]).reshape(len(levels), len(levels))
    if not levels:
        return Components({}, [])
    kept = _told_apart(cross)
    forms = np.array([(np.bincount(levels[k], weights=apart) ** 2).sum() for k in kept])
    of_residual = np.array([len(apart) - (np.bincount(levels[k]) ** 2).sum() / len(apart) for k in kept])
    found = np.linalg.solve(cross[np.ix_(kept, kept)], forms - of_residual * residual)
    return Components(
        variances={names[k]: float(variance) for k, variance in zip(kept, found, strict=True)},
        confounded=[name for k, name in enumerate(names) if k not in kept],
    )


def _told_apart(cross: np.ndarray) -> list[int]:
    """Places of the factors whose equations are independent of those before them."""
    scale = np.sqrt(np.diag(cross))
    scaled = cross / np.outer(scale, scale)
    kept: list[int] = []
    for place in range(len(cross)):
        some = [*kept, place]
        if np.linalg.matrix_rank(scaled[np.ix_(some, some)], tol=SINGULAR) == len(some):
            kept = some
    return kept


def _cross(a: np.ndarray, b: np.ndarray) -> float:
    """Sum over levels of a and of b of (n_ab - n_a n_b / n)^2, from the pairs that occur."""
    n, n_a, n_b = len(a), np.bincount(a).astype(float), np.bincount(b).astype(float)
    pairs, sizes = np.unique(a * len(n_b) + b, return_counts=True)
    both = (sizes * n_a[pairs // len(n_b)] * n_b[pairs % len(n_b)]).sum()
    return float((sizes.astype(float) ** 2).sum() - 2 / n * both + (n_a**2).sum() * (n_b**2).sum() / n**2)
