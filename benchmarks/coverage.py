"""Do Levelfield's intervals and tests hold what they promise? Measured on data whose truth is known.

`python -m benchmarks.coverage` prints the tables of docs/statistics.md; it takes some minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray
from scipy import stats

from analysis.estimates.best import chances_of_best
from analysis.estimates.pairs import equivalence_p, paired_t_p
from analysis.estimates.signed_rank import hodges_lehmann, wilcoxon_p
from analysis.friedman_permutation import permutation_p
from analysis.mean_interval import expanded_tails, t_interval

Values = NDArray[np.float64]
Noise = np.random.Generator
LEVEL = 0.05
RESAMPLES = 1_000
ITEMS = (5, 6, 8, 10, 15, 30)


def _scores(noise: Noise, shape: tuple[int, ...]) -> Values:
    scores: Values = noise.integers(3, 9, (*shape, 5)).mean(axis=-1)
    return scores


def _tokens(noise: Noise, shape: tuple[int, ...]) -> Values:
    item = noise.lognormal(0, 0.3, shape)
    more, less = (noise.lognormal(-0.005, 0.1, shape) for _ in range(2))
    apart: Values = 1000 * (1.3 * item * more - item * less - 0.3 * np.exp(0.045))
    return apart


DIFFERENCES: dict[str, Callable[[Noise, tuple[int, ...]], Values]] = {
    "normal": lambda noise, shape: noise.normal(size=shape),
    "quality": lambda noise, shape: (_scores(noise, shape) - _scores(noise, shape)).round(1),
    "latency": lambda noise, shape: (
        2 * noise.lognormal(-0.125, 0.5, shape) - noise.lognormal(-0.125, 0.5, shape) - 1
    ),
    "tokens": _tokens,
    "heavy tails": lambda noise, shape: noise.standard_t(3, size=shape),
    "exponential": lambda noise, shape: noise.exponential(size=shape) - 1,
}
"""Item differences of two frameworks, mean zero: scores of five criteria; one framework twice as slow; one
with 30 % more tokens, item by item; Student's t of 3. The last is skewer than frameworks' differences are."""

SYMMETRIC = ("normal", "quality", "heavy tails")
"""Only there is the true Hodges-Lehmann difference 0, too."""

VALUES: dict[str, Callable[[Noise, tuple[int, ...]], Values]] = {
    "normal": lambda noise, shape: noise.normal(size=shape),
    "quality": _scores,
    "latency": lambda noise, shape: noise.lognormal(0, 0.5, shape),
    "uniform": lambda noise, shape: noise.uniform(size=shape),
    "two steps": lambda noise, shape: 9 + 0.2 * noise.integers(0, 2, shape).astype(np.float64),
    "heavy tails": lambda noise, shape: noise.standard_t(3, size=shape),
}
"""Item means of frameworks that do not differ."""


def interval_coverage(kind: str, items: int, simulations: int, seed: int = 1) -> dict[str, float]:
    """How often each interval holds the true mean (of ranks: the true median), 0."""
    values = DIFFERENCES[kind](np.random.default_rng(seed), (simulations, items))
    drawn = np.sort(values @ _weights(items).T, axis=1)
    found = {"Student's t": t_interval(values)}
    found["percentile"] = _between(drawn, (LEVEL / 2, 1 - LEVEL / 2))
    found["percentile, widened"] = _between(drawn, expanded_tails(items))
    found["BCa"] = _bca(values)
    if kind in SYMMETRIC:
        found["Hodges-Lehmann"] = hodges_lehmann(values)[1:]
    return {name: _share(low, high) for name, (low, high) in found.items()}


def _share(low: Values, high: Values) -> float:
    return float(np.mean((low <= 1e-9) & (high >= -1e-9))) if np.isfinite(low).all() else float("nan")


def _weights(items: int) -> Values:
    drawn = np.random.default_rng(7).multinomial(items, np.full(items, 1 / items), size=RESAMPLES)
    weights: Values = drawn / items
    return weights


def _between(drawn: Values, tails: tuple[float, float]) -> tuple[Values, Values]:
    low, high = np.quantile(drawn, tails, axis=1)
    return low, high


def _bca(values: Values) -> tuple[Values, Values]:
    with np.errstate(all="ignore"):
        interval = stats.bootstrap(
            (values,), np.mean, axis=1, n_resamples=RESAMPLES, method="BCa", batch=50,
            rng=np.random.default_rng(7),
        ).confidence_interval  # fmt: skip
    # Without spread there is no acceleration: the interval is the mean itself.
    mean = values.mean(axis=1)
    return (
        np.where(np.isfinite(interval.low), interval.low, mean),
        np.where(np.isfinite(interval.high), interval.high, mean),
    )


def familywise_error(
    kind: str, items: int, frameworks: int, simulations: int, step: float = 0.0
) -> dict[str, float]:
    """How often any pair of frameworks that do not differ is told apart, by each test after Holm."""
    values = VALUES[kind](np.random.default_rng(2), (simulations, items, frameworks))
    first, second = np.triu_indices(frameworks, 1)
    apart = (values[:, :, first] - values[:, :, second]).transpose(0, 2, 1).round(9)
    # Holm tells some pair apart when the smallest p, times the number of pairs, is below the level.
    ranks = [wilcoxon_p(pairs).min() for pairs in apart]
    t = paired_t_p(apart.reshape(-1, items), step).reshape(simulations, -1).min(axis=1)
    return {
        name: float(np.mean(np.array(smallest) * len(first) < LEVEL))
        for name, smallest in (("signed-rank", ranks), ("paired t", t))
    }


def false_equality(kind: str, items: int, simulations: int, seed: int = 3) -> float:
    """How often two frameworks that differ by just the margin are shown equal."""
    values = DIFFERENCES[kind](np.random.default_rng(seed), (simulations, items))
    margin = 1.5 * values.std()
    return float(np.mean(equivalence_p(values + margin, margin, 0.0) < LEVEL))


def friedman_error(items: int, frameworks: int, simulations: int, seed: int = 4) -> dict[str, float]:
    values = np.random.default_rng(seed).normal(size=(simulations, items, frameworks))
    counted = [permutation_p(stats.rankdata(means, axis=1)) for means in values]
    approximate = [stats.friedmanchisquare(*means.T).pvalue for means in values]
    return {
        "counting orders": float(np.mean([found is not None and found[0] < LEVEL for found in counted])),
        "chi-squared": float(np.mean(np.array(approximate) < LEVEL)),
    }


def best_calibration(
    items: int, frameworks: int, spread: float, simulations: int
) -> Iterator[dict[str, object]]:
    """How often the favourite is truly best, by how sure Levelfield and the plain bootstrap were of it.

    `spread`: standard deviation of the true means, over that of an item's noise.
    """
    noise = np.random.default_rng(5)
    weights, rows = _weights(items), []
    for _ in range(simulations):
        truth = noise.normal(0, spread, frameworks)
        means = truth + noise.normal(size=(items, frameworks))
        plain = np.bincount((weights @ means).argmax(axis=1), minlength=frameworks) / RESAMPLES
        ours = chances_of_best(means, higher=True)
        for name, chances in (("Levelfield", ours), ("plain bootstrap", plain)):
            if chances is not None:
                rows.append((name, chances.max(), chances.argmax() == truth.argmax()))
    table = pd.DataFrame(rows, columns=["by", "said", "right"])
    table["band"] = pd.cut(table["said"], [0, 0.5, 0.8, 0.95, 1.0], include_lowest=True)
    for (by, band), group in table.groupby(["by", "band"], observed=True):
        yield {
            "by": by,
            "band": str(band),
            "n": len(group),
            "said": group["said"].mean(),
            "right": group["right"].mean(),
        }


def main(
    simulations: Annotated[int, typer.Option(help="Data sets for each interval.")] = 4_000,
    families: Annotated[int, typer.Option(help="Data sets for each family of pairs.")] = 2_000,
) -> None:
    """Print every table of docs/statistics.md.

    Example: python -m benchmarks.coverage --simulations 20000
    """
    rows: list[dict[str, object]] = [
        {"items": n, "differences": kind, **interval_coverage(kind, n, simulations)}
        for n in ITEMS
        for kind in DIFFERENCES
    ]
    _show("Coverage of 95 % intervals", rows)
    rows = [
        {
            "items": n,
            "frameworks": k,
            "values": kind,
            **familywise_error(kind, n, k, families, 0.2 if kind in ("quality", "two steps") else 0.0),
        }
        for n, k in ((5, 6), (6, 6), (10, 6), (12, 8))
        for kind in VALUES
    ]
    _show("Familywise false positives at 5 %", rows)
    rows = [
        {"items": n, **{kind: false_equality(kind, n, simulations) for kind in DIFFERENCES}} for n in ITEMS
    ]
    _show("Shown equal at the margin, at 5 %", rows)
    rows = [
        {"items": n, "frameworks": k, **friedman_error(n, k, families)} for n, k in ((3, 5), (5, 6), (10, 6))
    ]
    _show("Friedman false positives at 5 %", rows)
    for n in (5, 10):
        _show(f"Favourites of six frameworks, {n} items", list(best_calibration(n, 6, 0.7, families)))


def _show(title: str, rows: list[dict[str, object]]) -> None:
    typer.echo(f"\n{title}\n{pd.DataFrame(rows).to_string(index=False, float_format='{:.3f}'.format)}")


if __name__ == "__main__":
    typer.run(main)
