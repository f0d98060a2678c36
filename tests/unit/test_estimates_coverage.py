"""Intervals and tests hold what they promise, on data whose truth is known (docs/statistics.md has more draws)."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.mean_interval import t_interval
from benchmarks.coverage import (
    DIFFERENCES,
    best_calibration,
    false_equality,
    familywise_error,
    friedman_error,
    interval_coverage,
)


@pytest.mark.parametrize("items", [5, 8, 15])
@pytest.mark.parametrize("kind", ["normal", "quality", "latency", "tokens", "heavy tails"])
def test_intervals_cover(items: int, kind: str) -> None:
    """The 95 % interval of a difference holds the true one 93 to 97 times in 100, from five items on."""
    low, high = t_interval(DIFFERENCES[kind](np.random.default_rng(1), (10_000, items)))
    assert 0.93 <= np.mean((low <= 0) & (high >= 0)) <= 0.97


def test_why_not_the_bootstrap() -> None:
    """With five items percentile and BCa hold the true mean less than 90 times in 100; widened tails mend most."""
    found = interval_coverage("normal", 5, 1_500)
    assert max(found["percentile"], found["BCa"]) < 0.9
    assert found["percentile, widened"] > 0.9


def test_rank_intervals_never_cover_less() -> None:
    """The Hodges-Lehmann interval is exact: at least 95 % but for the draws' own error."""
    assert interval_coverage("heavy tails", 8, 1_500)["Hodges-Lehmann"] > 0.94


@pytest.mark.parametrize(
    ("items", "kind"), [(5, "normal"), (5, "two steps"), (10, "latency"), (10, "quality")]
)
def test_familywise_error(items: int, kind: str) -> None:
    """Of six frameworks that do not differ, any pair is told apart in at most about 5 of 100 experiments."""
    step = 0.2 if kind in ("quality", "two steps") else 0.0
    found = familywise_error(kind, items, 6, 250, step)
    # 0.05 and two standard errors of 250 draws.
    assert max(found.values()) <= 0.078


@pytest.mark.parametrize(("kind", "most"), [("normal", 0.06), ("quality", 0.06), ("latency", 0.1)])
def test_equality_is_seldom_shown_falsely(kind: str, most: float) -> None:
    """Frameworks apart by just the margin are shown equal 5 times in 100, 9 where differences are skewed."""
    assert false_equality(kind, 6, 2_000) <= most


def test_friedman_error() -> None:
    """Counting orders holds its rate with three items, where the approximation finds next to nothing."""
    found = friedman_error(3, 4, 400)
    assert 0.02 <= found["counting orders"] <= 0.075
    assert found["chi-squared"] <= found["counting orders"]


def test_favourites_are_as_good_as_said() -> None:
    """With five items, favourites given 80 to 95 in 100 are best about as often; the plain bootstrap is too sure."""
    rows = {(row["by"], row["band"]): row for row in best_calibration(5, 6, 1.0, 600)}
    ours, plain = (rows[by, "(0.8, 0.95]"] for by in ("Levelfield", "plain bootstrap"))
    assert ours["right"] >= ours["said"] - 0.08
    assert plain["said"] - plain["right"] > ours["said"] - ours["right"]
