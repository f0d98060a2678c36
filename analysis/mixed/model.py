"""Runs and verdicts -> one mixed model per metric and arm, or the reason why there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from analysis.compare import RANK_DECIMALS, compared_runs
from analysis.mean_interval import FEWEST_ITEMS
from analysis.mixed.diagnostics import diagnose, item_shifts
from analysis.mixed.fit import Fit, NoFit, fit_mixed
from analysis.mixed.result import Effect, MixedModel, VarianceComponent
from analysis.mixed.rows import cell_means
from analysis.panel.read_verdicts import Verdicts
from analysis.read_runs import Runs
from analysis.significance_result import METRICS, Metric
from analysis.subjects import arms_of
from analysis.variance.components import within_variance
from analysis.wording import plural

MOST_WORK = 60_000_000
"""See `_work`: about a second of one core. 6 frameworks on 200 items are within it, and 100 on 15."""
LOG_GAIN = stats.chi2.ppf(0.95, 1) / 2
"""By which the logarithm's likelihood must be higher: then a 95 % interval of Box and Cox's power, were the
logarithm its estimate, would leave out the linear scale."""


def fit_models(runs: Runs, verdicts: Verdicts) -> list[MixedModel]:
    """For each arm, each metric in their order."""
    floors = set(runs.table.loc[runs.table["role"] == "floor", "subject"].unique())
    return [
        model_of(cell_means(runs, verdicts, metric, arm), metric, floors, arm or None)
        for arm in arms_of(compared_runs(runs)["arm"].unique())
        for metric in METRICS
    ]


def model_of(
    rows: pd.DataFrame, metric: Metric, floors: frozenset[str] | set[str], arm: str | None = None
) -> MixedModel:
    """`rows`: see `cell_means`. `floors`: what frameworks are held against, where it is among them."""
    about = MixedModel(
        metric=metric,
        arm=arm,
        rows=len(rows),
        items=rows["item"].nunique(),
        frameworks=rows["subject"].nunique(),
    )
    if reason := _refusal(rows):
        return about.model_copy(update={"reason": reason})
    try:
        return _model(
            rows, about, next((name for name in sorted(floors) if name in set(rows["subject"])), None)
        )
    except NoFit as error:
        return about.model_copy(update={"reason": str(error)})


def _refusal(rows: pd.DataFrame) -> str | None:
    frameworks = rows.groupby("item")["subject"].nunique()
    shared = int((frameworks >= 2).sum())
    if len(set(rows["subject"])) < 2:
        return "fewer than two frameworks have values"
    if len(set(rows["value"])) < 2:
        return "all values are equal"
    if shared < FEWEST_ITEMS:
        return (
            f"{plural(shared, 'item')} with values of two frameworks or more: below {FEWEST_ITEMS} an item's "
            "variance is not known"
        )
    if _work(rows) > MOST_WORK:
        return (
            f"{len(rows):,} means of {plural(rows['item'].nunique(), 'item')} are more than a report fits in "
            "a reasonable time"
        )
    within = within_variance(rows, "item", "subject")
    if within is not None and within.variance == 0:
        return "the frameworks differ by the same amount on every item: there is no variance to model"
    return None


def _work(rows: pd.DataFrame) -> int:
    """What one step of the fit costs, in products of matrices."""
    levels = sum(len(np.unique(labels)) for labels in _random(rows).values())
    return len(rows) * (levels + len(set(rows["subject"]))) ** 2


def _random(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Labels of each random effect that the data can tell."""
    found = {"item": rows["item"].to_numpy(dtype=str)}
    found |= {name: rows[name].to_numpy(dtype=str) for name in ("node", "judge") if len(set(rows[name])) > 1}
    cells = (rows["item"] + "\n" + rows["subject"]).to_numpy(dtype=str)
    # Several rows of one cell share what the item makes of the framework.
    return found | ({"cell": cells} if len(set(cells)) < len(cells) else {})


def _model(rows: pd.DataFrame, about: MixedModel, against: str | None) -> MixedModel:
    names = sorted(rows["subject"].unique())
    fixed = np.equal.outer(rows["subject"].to_numpy(dtype=str), np.array(names)).astype(float)
    random = _random(rows)
    fit = fit_mixed(rows["value"].to_numpy(dtype=float), fixed, random)
    scale_words = ""
    if about.metric == "latency_s":
        log, scale_words = _on_logarithm(rows, fixed, random, fit)
        if log is not None:
            fit, rows = log, rows.assign(value=np.log(rows["value"]))
            about = about.model_copy(update={"scale": "log"})
    contrasts = _contrasts(names, against)
    differences = contrasts @ fit.effects
    errors = np.sqrt(np.einsum("ij,jk,ik->i", contrasts, fit.covariance, contrasts))
    compared = [name for name in names if name != against]
    free = _degrees_of_freedom(rows)
    return about.model_copy(
        update={
            "scale_words": scale_words,
            "against": against,
            "degrees_of_freedom": free,
            "effects": _effects(compared, differences, errors, free, log=about.scale == "log"),
            "components": _components(fit, random, len(rows)),
            "diagnostics": diagnose(
                rows, fit, item_shifts(rows, against, pd.Series(errors, index=compared)), against
            ),
        }
    )


def _on_logarithm(
    rows: pd.DataFrame, fixed: np.ndarray, random: dict[str, np.ndarray], linear: Fit
) -> tuple[Fit | None, str]:
    """The fit on the logarithm where the data ask for it, and why.

    Both likelihoods are of the value itself: Box and Cox, J. R. Stat. Soc. B 26 (1964) 211.
    """
    values = rows["value"].to_numpy(dtype=float)
    if (values <= 0).any():
        return None, "On the linear scale: some latencies are not above 0."
    try:
        log = fit_mixed(np.log(values), fixed, random)
    except NoFit as error:
        return None, f"On the linear scale: on the logarithm {error}."
    n, p = fixed.shape
    gain = log.log_likelihood - (n - p) * float(np.log(values).mean()) - linear.log_likelihood
    if gain > LOG_GAIN:
        return log, f"On the logarithm, so differences are ratios: its log-likelihood is {gain:.1f} higher."
    return None, (
        f"On the linear scale: the logarithm's log-likelihood is not more than {LOG_GAIN:.1f} higher "
        f"({gain:+.1f})."
    )


def _contrasts(names: list[str], against: str | None) -> np.ndarray:
    """A row per framework compared: itself less the floor, or less the mean of all."""
    one = np.eye(len(names))
    if against is None:
        return one - 1 / len(names)
    floor = names.index(against)
    return np.delete(one - one[floor], floor, axis=0)


def _degrees_of_freedom(rows: pd.DataFrame) -> int:
    """Of framework by item, where the differences' variance is from: (items - 1)(frameworks - 1), less for
    missing cells.
    """
    cells = rows.groupby(["item", "subject"], as_index=False).agg(value=("value", "mean"))
    within = within_variance(cells, "item", "subject")
    if within is None:
        raise NoFit("no item repeats the comparison: nothing is left to hold the differences against")
    return within.free


def _effects(
    names: list[str], differences: np.ndarray, errors: np.ndarray, free: int, *, log: bool
) -> list[Effect]:
    differences = differences.round(RANK_DECIMALS) + 0.0  # no -0 where values are the same
    half = stats.t.ppf(0.975, free) * errors
    bounds = np.stack([differences, differences - half, differences + half])
    bounds = np.exp(bounds) if log else bounds
    return [
        Effect(framework=name, difference=value, low=low, high=high)
        for name, (value, low, high) in zip(names, bounds.T, strict=True)
    ]


def _components(fit: Fit, random: dict[str, np.ndarray], rows: int) -> list[VarianceComponent]:
    variances = {name: fit.components.get(name, 0.0) for name in random} | {"residual": fit.residual}
    total = sum(variances.values())
    return [
        VarianceComponent(
            source=name,
            levels=len(np.unique(random[name])) if name in random else rows,
            variance=variance,
            share=variance / total,
        )
        for name, variance in variances.items()
    ]
