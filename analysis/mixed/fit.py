"""Restricted maximum likelihood of a linear mixed model with crossed random effects, by statsmodels."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

AT_ZERO = 1e-5
"""Share of the total variance below which a component is at its boundary: the optimiser stops just short."""

METHODS = ("bfgs", "powell")
"""Tried in turn; the second needs no gradient, which misleads beside the boundary."""
NO_MAXIMUM = "The Hessian matrix"
"""How the one warning begins that a component at zero does not explain."""
EXACT = 1e-12
"""Of the largest value: what rounding leaves of an exact fit."""


class NoFit(Exception):
    """Why there is no model, in words for the reader."""


@dataclass(frozen=True)
class Fit:
    effects: np.ndarray
    """One per fixed column."""
    covariance: np.ndarray
    components: dict[str, float]
    """Variances of the random effects."""
    residual: float
    residuals: np.ndarray
    """Values less fixed and predicted random effects."""
    log_likelihood: float
    """Restricted, up to a constant that depends on the design alone."""
    at_zero: tuple[str, ...] = ()
    """Random effects left out because their variance was estimated as 0."""
    warnings: tuple[str, ...] = ()


def fit_mixed(values: np.ndarray, fixed: np.ndarray, random: Mapping[str, np.ndarray]) -> Fit:
    """Values = fixed @ effects + a random effect per label of each of `random` + residual.

    A random effect whose variance is estimated as 0 is left out and the rest fitted again, which changes no
    other estimate and leaves a covariance that exists.

    Args:
        values: n.
        fixed: n x p, of full rank.
        random: Name -> n labels.

    Raises:
        NoFit: It does not converge, or nothing random is left.
    """
    # In units of what the fixed effects leave: the optimiser's tolerances are absolute.
    rest = values - fixed @ np.linalg.lstsq(fixed, values, rcond=None)[0]
    spread = float(rest.std())
    if spread <= EXACT * float(np.abs(values).max()):
        raise NoFit("the frameworks' means leave no variance to model")
    fit = _fit(values / spread, fixed, random)
    total = sum(fit.components.values()) + fit.residual
    zero = tuple(name for name, variance in fit.components.items() if variance < AT_ZERO * total)
    if zero:
        left = {name: labels for name, labels in random.items() if name not in zero}
        if not left:
            raise NoFit(
                "the fit is singular: every random effect's variance is estimated as 0, so items explain "
                "nothing and the model says no more than the means"
            )
        again = fit_mixed(values, fixed, left)
        # What was warned of before is told by the component at zero.
        return replace(again, at_zero=(*zero, *again.at_zero))
    if not (np.isfinite(fit.covariance).all() and (np.diag(fit.covariance) > 0).all()):
        raise NoFit("the fit is singular: its estimates have no standard errors")
    n, p = fixed.shape
    return Fit(
        effects=fit.effects * spread,
        covariance=fit.covariance * spread**2,
        components={name: variance * spread**2 for name, variance in fit.components.items()},
        residual=fit.residual * spread**2,
        residuals=fit.residuals * spread,
        log_likelihood=fit.log_likelihood - (n - p) * float(np.log(spread)),
        warnings=fit.warnings,
    )


def _fit(values: np.ndarray, fixed: np.ndarray, random: Mapping[str, np.ndarray]) -> Fit:
    """Of values in units of what the fixed effects leave."""
    # Imported where it is used: it takes a second, and most commands need none of it.
    from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec  # noqa: PLC0415

    levels = {name: np.unique(labels, return_inverse=True) for name, labels in random.items()}
    spec = VCSpec(
        list(levels),
        [[[str(number) for number in range(len(names))]] for names, _ in levels.values()],
        [[np.eye(len(names))[place]] for names, place in levels.values()],
    )
    # One group: the random effects cross, so no part of the data is independent of the rest.
    model = MixedLM(values, fixed, np.ones(len(values)), exog_vc=spec)
    try:
        found, doubts = _optimise(model)
        covariance = np.asarray(found.cov_params())[: fixed.shape[1], : fixed.shape[1]]
        residuals = np.asarray(found.resid, dtype=float)
    except (np.linalg.LinAlgError, ValueError, FloatingPointError) as error:
        raise NoFit(f"the fit is singular ({error})") from error
    return Fit(
        effects=np.asarray(found.fe_params, dtype=float),
        covariance=covariance,
        components=dict(zip(levels, map(float, found.vcomp), strict=True)),
        residual=float(found.scale),
        residuals=residuals,
        log_likelihood=float(found.llf),
        warnings=doubts,
    )


def _optimise(model: Any) -> tuple[Any, tuple[str, ...]]:
    """The best of the methods that converged, and what is still doubtful about it.

    One that stops where the likelihood has no maximum (its Hessian says so) is not taken at its word.
    """
    best: tuple[Any, tuple[str, ...]] | None = None
    for method in METHODS:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = model.fit(reml=True, method=method)
        if not found.converged:
            continue
        texts = dict.fromkeys(str(warning.message) for warning in caught)
        doubts = tuple(text for text in texts if text.startswith(NO_MAXIMUM))
        if best is None or found.llf > best[0].llf:
            best = found, doubts
        if not doubts:
            break
    if best is None:
        raise NoFit("the fit did not converge")
    return best
