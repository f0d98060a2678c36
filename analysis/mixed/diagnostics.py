"""What to hold against a fitted mixed model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from analysis.mixed.fit import Fit
from analysis.mixed.result import Diagnostic
from analysis.wording import listing, plural

ALPHA = 0.01
"""Of the tests on residuals: many are made, on every report."""
HEAVY = 2.0
"""Excess kurtosis from here on: the tails of Student's t with 7 degrees of freedom."""
FEWEST_LEVELS = 5
MOST_FOR_SHAPIRO = 5_000
MOST_SHIFT = 1.0
"""In standard errors: beyond this one item alone decides (as for DFBETAS in small data, Kutner et al.,
Applied Linear Statistical Models, 5th ed., section 10.4)."""
SOURCES = {"item": "items", "cell": "what items make of frameworks", "node": "nodes", "judge": "judges"}


def diagnose(rows: pd.DataFrame, fit: Fit, shifts: pd.DataFrame, against: str | None) -> list[Diagnostic]:
    """`rows`: as modelled. `shifts`: see `item_shifts`. `against`: the floor, where there is one."""
    return [
        *_same(rows, against),
        *_components(rows, fit),
        *_residuals(rows, fit.residuals),
        *_spread(rows, fit.residuals),
        *_influence(shifts),
        *_repeats(rows),
        *(
            Diagnostic(code="fit_warning", text=f"The optimiser warned: {text}", evidence={})
            for text in fit.warnings
        ),
    ]


def item_shifts(rows: pd.DataFrame, against: str | None, errors: pd.Series) -> pd.DataFrame:
    """Items x frameworks: by how many standard errors a difference moves when the item is left out.

    On item means, where leaving out an item needs no second fit: exact when no cell is missing.
    """
    means = rows.pivot_table(index="item", columns="subject", values="value", aggfunc="mean")
    reference = means.mean(axis=1) if against is None else means[against]
    apart = means.sub(reference, axis=0)[errors.index]
    counts = apart.notna().sum()
    mean = apart.mean()
    left_out = (mean * counts - apart) / (counts - 1).where(counts > 1)
    return (left_out - mean) / errors


def _same(rows: pd.DataFrame, against: str | None) -> Iterator[Diagnostic]:
    means = rows.pivot_table(index="item", columns="subject", values="value", aggfunc="mean")
    if against is None:
        return
    apart = means.drop(columns=against).sub(means[against], axis=0)
    same = [str(name) for name in apart if (apart[name].dropna() == 0).all()]
    if same:
        yield Diagnostic(
            code="same_as_floor",
            text=f"On every item {listing(same)} {'has' if len(same) == 1 else 'have'} the very values of "
            f"{against}: the difference is 0, and its interval comes from the other frameworks' spread.",
            evidence={"frameworks": same, "floor": against},
        )


def _components(rows: pd.DataFrame, fit: Fit) -> Iterator[Diagnostic]:
    for name in fit.at_zero:
        yield Diagnostic(
            code="component_at_zero",
            text=f"The variance of {SOURCES[name]} is estimated as 0 and left out.",
            evidence={"source": name},
        )
    for name in ("node", "judge"):
        levels = rows[name].nunique()
        if name in fit.components and levels < FEWEST_LEVELS:
            yield Diagnostic(
                code="few_levels",
                text=f"The variance of {SOURCES[name]} rests on {plural(levels, name)}: it is hardly known.",
                evidence={"source": name, "levels": levels},
            )


def _residuals(rows: pd.DataFrame, residuals: np.ndarray) -> Iterator[Diagnostic]:
    if len(residuals) < 8 or np.ptp(residuals) == 0:
        return
    apart = residuals - residuals.mean()
    kurtosis, skewness = float(stats.kurtosis(apart)), float(stats.skew(apart))
    if len(apart) <= MOST_FOR_SHAPIRO and (p := float(stats.shapiro(apart).pvalue)) < ALPHA:
        yield Diagnostic(
            code="residuals_not_normal",
            text=f"The residuals are not normal (Shapiro-Wilk p = {p:.2g}, skewness {skewness:.2f}): the "
            "intervals lean on the number of items rather than on the model.",
            evidence={"p": p, "skewness": skewness},
        )
    if kurtosis > HEAVY:
        place = int(np.abs(apart).argmax())
        far = float(apart[place] / apart.std(ddof=1))
        row = rows.iloc[place]
        yield Diagnostic(
            code="heavy_tails",
            text=f"The residuals have heavy tails (excess kurtosis {kurtosis:.1f}). The furthest is "
            f"{row['subject']} on {row['item']}, {abs(far):.1f} standard deviations out.",
            evidence={
                "kurtosis": kurtosis,
                "framework": row["subject"],
                "item": row["item"],
                "deviations": far,
            },
        )


def _spread(rows: pd.DataFrame, residuals: np.ndarray) -> Iterator[Diagnostic]:
    groups = {str(name): residuals[place] for name, place in rows.groupby("subject").indices.items()}
    groups = {name: values for name, values in groups.items() if len(values) > 2}
    if len(groups) < 2 or np.ptp(residuals) == 0:
        return
    spreads = {name: float(values.std(ddof=1)) for name, values in groups.items()}
    with np.errstate(
        divide="ignore", invalid="ignore"
    ):  # groups without any spread: NaN, which tells nothing
        p = float(stats.levene(*groups.values(), center="median").pvalue)
    if p < ALPHA:
        low, high = min(spreads, key=spreads.__getitem__), max(spreads, key=spreads.__getitem__)
        yield Diagnostic(
            code="unequal_spread",
            text=f"The frameworks' spreads differ (Levene p = {p:.2g}): the residuals of {high} have a "
            f"standard deviation of {spreads[high]:.3g}, those of {low} {spreads[low]:.3g}, and the model "
            "gives all one.",
            evidence={"p": p, "largest": high, "smallest": low, "deviations": [spreads[high], spreads[low]]},
        )


def _influence(shifts: pd.DataFrame) -> Iterator[Diagnostic]:
    furthest = shifts.abs().max().max() if shifts.size else np.nan
    if not furthest > MOST_SHIFT:
        return
    framework = str(shifts.abs().max().idxmax())
    item = str(shifts[framework].abs().idxmax())
    others = int((shifts.abs() > MOST_SHIFT).any(axis=1).sum())
    such = "it is the only such item" if others == 1 else f"there are {others} such items"
    yield Diagnostic(
        code="influential_item",
        text=f"Without {item} the difference of {framework} would move by {furthest:.1f} standard errors: "
        f"one item decides it, and {such}.",
        evidence={"item": item, "framework": framework, "standard_errors": float(furthest), "items": others},
    )


def _repeats(rows: pd.DataFrame) -> Iterator[Diagnostic]:
    few, many = int(rows["repeats"].min()), int(rows["repeats"].max())
    if many > 2 * few:
        yield Diagnostic(
            code="unequal_repeats",
            text=f"The means that are compared hold from {few} to {plural(many, 'value')} and count alike.",
            evidence={"fewest": few, "most": many},
        )
