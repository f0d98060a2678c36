"""The mixed model: published estimates, known truth, what speaks against it, and when there is none."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.analyse import analyse
from analysis.mixed.fit import NoFit, fit_mixed
from analysis.mixed.model import model_of
from analysis.mixed.result import MixedModel
from analysis.read_runs import read_runs
from analysis.significance_result import Metric

from .analysis_rows import PUBLISHED, analyse_rows, clean_rows
from .panel_experiment import judged_store

# Davies & Goldsmith: Statistical Methods in Research and Production, 4th ed. (1972), table 6.1; lme4's
# Dyestuff. Yield of six batches, five samples each.
DYESTUFF = (
    (1545, 1440, 1440, 1520, 1580), (1540, 1555, 1490, 1560, 1495), (1595, 1550, 1605, 1510, 1560),
    (1445, 1440, 1595, 1465, 1545), (1595, 1630, 1515, 1635, 1625), (1520, 1455, 1450, 1480, 1445),
)  # fmt: skip
# The same book, table 6.6; lme4's Penicillin. Diameters in mm on 24 plates (rows), six samples each (columns).
PENICILLIN = (
    (27, 23, 26, 23, 23, 21), (27, 23, 26, 23, 23, 21), (25, 21, 25, 24, 24, 20), (26, 23, 25, 23, 23, 20),
    (25, 22, 26, 22, 23, 20), (24, 22, 25, 23, 22, 19), (24, 20, 23, 21, 22, 19), (26, 22, 26, 24, 24, 21),
    (24, 21, 24, 22, 22, 20), (24, 21, 24, 23, 22, 19), (26, 23, 26, 24, 24, 21), (25, 22, 26, 24, 24, 20),
    (26, 24, 26, 24, 25, 22), (26, 23, 26, 23, 23, 20), (26, 23, 25, 24, 24, 22), (25, 22, 25, 23, 23, 20),
    (25, 21, 24, 23, 23, 20), (25, 22, 24, 23, 23, 19), (24, 21, 23, 21, 21, 19), (26, 23, 26, 24, 24, 21),
    (25, 21, 24, 22, 22, 18), (25, 22, 25, 22, 22, 20), (24, 21, 24, 22, 24, 19), (24, 21, 24, 22, 21, 18),
)  # fmt: skip
# Pinheiro & Bates: Mixed-Effects Models in S and S-PLUS (2000), section 1.3; nlme's Machines. Productivity of
# six workers, three times on each of three machines.
MACHINES = {
    "A": ((52.0, 52.8, 53.1), (51.8, 52.8, 53.1), (60.0, 60.2, 58.4),
          (51.1, 52.3, 50.3), (50.9, 51.8, 51.4), (46.4, 44.8, 49.2)),
    "B": ((62.1, 62.6, 64.0), (59.7, 60.0, 59.0), (68.6, 65.8, 69.7),
          (63.2, 62.8, 62.2), (64.8, 65.0, 65.4), (43.7, 44.2, 43.0)),
    "C": ((67.5, 67.2, 66.9), (61.5, 61.7, 62.3), (70.8, 70.6, 71.0),
          (64.1, 66.2, 64.0), (72.1, 72.0, 71.1), (62.0, 61.4, 60.5)),
}  # fmt: skip
MACHINE_ROWS = [
    (m, w, v) for m, workers in MACHINES.items() for w, values in enumerate(workers) for v in values
]


def test_dyestuff_as_published() -> None:
    """One random factor: lme4's estimates for Dyestuff (Bates: lme4, 2010, section 1.3.1)."""
    values = np.array(DYESTUFF, dtype=float).ravel()
    fit = fit_mixed(values, np.ones((30, 1)), {"item": np.repeat(np.arange(6), 5)})
    assert fit.effects == pytest.approx([1527.5])
    assert math.sqrt(fit.covariance[0, 0]) == pytest.approx(19.38, abs=0.005)
    assert fit.components["item"] == pytest.approx(1764.05, rel=1e-3)
    assert fit.residual == pytest.approx(2451.25, rel=1e-3)
    # REML criterion 319.6543, as lme4 counts its constant.
    assert -2 * fit.log_likelihood == pytest.approx(319.6543, abs=0.001)


def test_penicillin_as_published() -> None:
    """Two crossed random factors: lme4's estimates for Penicillin (Bates: lme4, 2010, section 2.1.1)."""
    values = np.array(PENICILLIN, dtype=float).ravel()
    plates, samples = np.repeat(np.arange(24), 6), np.tile(np.arange(6), 24)
    fit = fit_mixed(values, np.ones((144, 1)), {"item": plates, "judge": samples})
    assert fit.effects == pytest.approx([22.9722], abs=5e-5)
    assert math.sqrt(fit.covariance[0, 0]) == pytest.approx(0.8086, abs=5e-4)
    deviations = [math.sqrt(v) for v in (*fit.components.values(), fit.residual)]
    assert deviations == pytest.approx([0.8467, 1.9316, 0.5499], abs=5e-4)


def test_machines_as_published() -> None:
    """Framework fixed, item and its interaction random: the book's fm2Machine, pages 26 and 27."""
    machine, worker = (np.array(column) for column in list(zip(*MACHINE_ROWS, strict=True))[:2])
    values = np.array([row[2] for row in MACHINE_ROWS])
    fixed = np.equal.outer(machine, np.array(["A", "B", "C"])).astype(float)
    cell = np.char.add(machine, worker.astype(str))
    fit = fit_mixed(values, fixed, {"item": worker, "cell": cell})
    assert fit.effects - [0, *fit.effects[[0, 0]]] == pytest.approx([52.3556, 7.9667, 13.9167], abs=5e-5)
    error = math.sqrt(fit.covariance[0, 0] + fit.covariance[1, 1] - 2 * fit.covariance[0, 1])
    assert (math.sqrt(fit.covariance[0, 0]), error) == pytest.approx((2.4854, 2.1770), abs=1e-3)
    deviations = [math.sqrt(v) for v in (*fit.components.values(), fit.residual)]
    assert deviations == pytest.approx([4.7811, 3.7295, 0.9616], abs=1e-3)


def test_means_say_what_runs_say() -> None:
    """On the machines' means per worker the differences and their errors are those of all runs."""
    rows = pd.DataFrame(MACHINE_ROWS, columns=["subject", "worker", "value"])
    means = rows.groupby(["subject", "worker"], as_index=False)["value"].mean()
    model = model_of(table(means["subject"], means["worker"].astype(str), means["value"]), "quality", {"A"})
    assert (model.against, model.degrees_of_freedom, model.rows) == ("A", 10, 18)
    half = stats.t.ppf(0.975, 10) * 2.1770
    for effect, difference in zip(model.effects, (7.9667, 13.9167), strict=True):
        assert effect.difference == pytest.approx(difference, abs=5e-5)
        assert (effect.low, effect.high) == pytest.approx((difference - half, difference + half), abs=3e-3)


def table(subject: Any, item: Any, value: Any, **more: Any) -> pd.DataFrame:
    columns = {"subject": subject, "item": item, "value": value, "node": "n", "judge": "j", "repeats": 1}
    return pd.DataFrame(columns | more)


def simulated(
    seed: int,
    effects: tuple[float, ...] = (0.0, 0.5, 1.0),
    items: int = 12,
    item: float = 1.0,
    rest: float = 0.5,
) -> pd.DataFrame:
    """One mean per framework and item; deviations of items and of what is left."""
    draw = np.random.default_rng(seed)
    values = (
        draw.normal(0, item, items) + np.array(effects)[:, None] + draw.normal(0, rest, (len(effects), items))
    )
    subjects = np.repeat([f"f{n}" for n in range(len(effects))], items)
    return table(subjects, np.tile([f"i{n:02}" for n in range(items)], len(effects)), 6 + values.ravel())


def without_items(rows: pd.DataFrame) -> pd.DataFrame:
    """Every item has the same mean."""
    return rows.assign(value=6 + rows["value"] - rows.groupby("item")["value"].transform("mean"))


def codes(model: MixedModel) -> set[str]:
    return {diagnostic.code for diagnostic in model.diagnostics}


def test_intervals_hold_the_truth() -> None:
    """Over 100 simulated experiments 95 % intervals hold the true difference, and components are unbiased."""
    held, items, rest = [], [], []
    for seed in range(100):
        model = model_of(simulated(seed), "quality", {"f0"})
        held += [e.low <= true <= e.high for e, true in zip(model.effects, (0.5, 1.0), strict=True)]
        variances = {c.source: c.variance for c in model.components}
        items.append(variances["item"])
        rest.append(variances["residual"])
    # 200 intervals, two from each experiment: three standard errors of 95 % are 4.6 points.
    assert np.mean(held) == pytest.approx(0.95, abs=0.046)
    assert np.mean(items) == pytest.approx(1.0, abs=3.5 * np.std(items) / 10)
    assert np.mean(rest) == pytest.approx(0.25, abs=3.5 * np.std(rest) / 10)


def test_fits_beside_the_boundary_are_right() -> None:
    """With hardly any variance of items the estimate is the analysis of variance's, or a refusal where that is 0."""
    refused = 0
    for seed in range(40):
        rows = simulated(seed, item=0.1)
        grid = rows.pivot_table(index="item", columns="subject", values="value").to_numpy()
        grid = grid - grid.mean(axis=0)
        between = 3 * grid.mean(axis=1).var(ddof=1)
        within = ((grid - grid.mean(axis=1, keepdims=True)) ** 2).sum() / 22
        model = model_of(rows, "quality", {"f0"})
        if between <= within:
            assert "singular" in (model.reason or ""), seed
            refused += 1
        else:
            found = {component.source: component.variance for component in model.components}
            assert found["item"] == pytest.approx((between - within) / 3, rel=0.01, abs=1e-4), seed
            assert found["residual"] == pytest.approx(within, rel=0.01), seed
    assert 10 < refused < 30


def test_without_a_floor_the_mean_of_all() -> None:
    """Differences from the mean of all frameworks add up to 0."""
    model = model_of(simulated(1), "quality", set())
    assert model.against is None
    assert len(model.effects) == 3
    assert sum(effect.difference for effect in model.effects) == pytest.approx(0, abs=1e-9)
    assert sum(component.share for component in model.components) == pytest.approx(1)


def test_several_judges_are_one_opinion_each() -> None:
    """Three judges of the same texts add no items: the interval stays what the items give, and judges vary."""
    draw = np.random.default_rng(5)
    base = simulated(5)
    judges = [base.assign(value=base["value"] + shift + draw.normal(0, 0.05, len(base)), judge=f"j{n}")
              for n, shift in enumerate((-1.0, 0.0, 1.5))]  # fmt: skip
    one, three = (
        model_of(base, "quality", {"f0"}),
        model_of(pd.concat(judges, ignore_index=True), "quality", {"f0"}),
    )
    assert three.degrees_of_freedom == one.degrees_of_freedom
    for a, b in zip(one.effects, three.effects, strict=True):
        assert b.high - b.low == pytest.approx(a.high - a.low, rel=0.1)
    found = {component.source: component for component in three.components}
    assert set(found) == {"item", "judge", "cell", "residual"}
    assert found["judge"].variance == pytest.approx(np.var([-1, 0, 1.5], ddof=1), rel=0.1)
    assert found["cell"].variance == pytest.approx(0.25, rel=0.5)
    assert "few_levels" in codes(three)


def test_logarithm_only_where_the_data_ask_for_it() -> None:
    """Latencies that vary by ratios are modelled by ratios; those that vary by seconds are not."""
    rows = simulated(3, effects=(0.0, math.log(2)), items=30, item=0.8, rest=0.2)
    ratios = model_of(rows.assign(value=np.exp(rows["value"])), "latency_s", {"f0"})
    assert ratios.scale == "log"
    assert ratios.effects[0].low < 2 < ratios.effects[0].high
    assert ratios.effects[0].low > 1.5
    seconds = model_of(simulated(3, items=30).assign(), "latency_s", {"f0"})
    assert seconds.scale == "linear"
    assert "On the linear scale" in seconds.scale_words
    shifted = simulated(3, items=30)
    below = model_of(shifted.assign(value=shifted["value"] - 6), "latency_s", {"f0"})
    assert "not above 0" in below.scale_words


def test_clean_data_have_no_diagnostics() -> None:
    """Normal residuals of one spread, many items: nothing speaks against the model."""
    assert model_of(simulated(11, items=40), "quality", {"f0"}).diagnostics == []


def test_each_diagnostic_is_found_where_it_is_planted() -> None:
    """One wild cell, one wild framework, an item that decides, a node without effect, uneven repeats."""
    clean = simulated(11, items=40)
    wild = clean.copy()
    wild.loc[5, "value"] += 6
    assert {"heavy_tails", "residuals_not_normal"} <= codes(model_of(wild, "quality", {"f0"}))
    spread = clean.copy()
    noisy = spread["subject"] == "f2"
    spread.loc[noisy, "value"] += np.random.default_rng(1).normal(0, 3, int(noisy.sum()))
    assert "unequal_spread" in codes(model_of(spread, "quality", {"f0"}))
    small = simulated(4, items=6, rest=0.1)
    small.loc[(small["subject"] == "f2") & (small["item"] == "i03"), "value"] += 3
    found = model_of(small, "quality", {"f0"})
    influence = next(d for d in found.diagnostics if d.code == "influential_item")
    assert influence.evidence["item"] == "i03"
    assert influence.evidence["framework"] == "f2"
    nodes = clean.assign(node=np.tile(["a", "b"], len(clean) // 2))
    node = model_of(nodes, "quality", {"f0"})
    assert codes(node) & {"component_at_zero", "few_levels"}
    same = clean.copy()
    same.loc[same["subject"] == "f1", "value"] = same.loc[same["subject"] == "f0", "value"].to_numpy()
    copied = model_of(same, "quality", {"f0"})
    assert next(d for d in copied.diagnostics if d.code == "same_as_floor").evidence["frameworks"] == ["f1"]
    assert next(effect for effect in copied.effects if effect.framework == "f1").difference == 0
    uneven = model_of(clean.assign(repeats=[5, *[1] * (len(clean) - 1)]), "quality", {"f0"})
    assert "unequal_repeats" in codes(uneven)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (simulated(1, effects=(0.0,)), "fewer than two frameworks"),
        (simulated(1, items=4), "below 5"),
        (simulated(1).assign(value=7.0), "all values are equal"),
        (simulated(1, rest=0.0), "same amount on every item"),
        (without_items(simulated(1)), "singular"),
        (simulated(1).iloc[:0], "fewer than two frameworks"),
        (simulated(1, effects=(0.0,) * 200, items=50), "reasonable time"),
        (simulated(1)[lambda d: (d["subject"] == "f0") == (d["item"] < "i06")], "of two frameworks"),
    ],
)  # fmt: skip
def test_refusals_in_plain_words(rows: pd.DataFrame, reason: str) -> None:
    """One framework, few items, equal values, nothing random, far too much: no model, and why."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = model_of(rows[rows["subject"] != "f2"] if "of two" in reason else rows, "quality", {"f0"})
    assert reason in (model.reason or "")
    assert not model.effects


def test_many_frameworks_are_fitted() -> None:
    """Sixty frameworks on ten items: the fit gives every one its difference."""
    model = model_of(simulated(2, effects=tuple(np.linspace(0, 2, 60)), items=10), "tokens", set())
    assert model.reason is None
    assert len(model.effects) == 60


def test_exact_fit_is_no_model() -> None:
    """The fit itself refuses what has no variance."""
    with pytest.raises(NoFit, match="leave no variance"):
        fit_mixed(np.ones(6), np.ones((6, 1)), {"item": np.repeat([0, 1, 2], 2)})


def test_report_holds_models_and_refusals(tmp_path: Path) -> None:
    """A report on six items has models or reasons for every metric, and never both."""
    analysis = analyse_rows(tmp_path, clean_rows())
    metrics: list[Metric] = [model.metric for model in analysis.mixed]
    assert metrics == ["quality", "latency_s", "tokens"]
    assert all(bool(model.effects) != bool(model.reason) for model in analysis.mixed)
    assert {model.rows for model in analysis.mixed} == {24}


def test_verdicts_of_several_judges_reach_the_model(tmp_path: Path) -> None:
    """Two judges of 6 items and 3 frameworks are 36 means, with a judge's component."""
    quality = {"direct": 4.0, "langgraph": 5.0, "crewai": 6.0}
    draw = np.random.default_rng(3)
    hard = dict(
        zip(("alpha", "beta", "gamma", "delta", "epsilon", "zeta"), draw.normal(0, 1, 6), strict=True)
    )
    store = judged_store(
        tmp_path,
        lambda judge, run, _: (
            quality[run.key.framework] + hard[run.key.item] + ("gpt" in judge) + draw.normal(0, 0.3)
        ),
    )
    model = analyse(read_runs(store.folder)).mixed[0]
    assert (model.metric, model.rows, model.against) == ("quality", 36, "direct")
    assert {effect.framework: round(effect.difference) for effect in model.effects} == {
        "langgraph": 1,
        "crewai": 2,
    }
    assert "judge" in {component.source for component in model.components}


def test_published_runs_carry_no_model() -> None:
    """Three companies are too few, whatever the metric."""
    analysis = analyse(read_runs(PUBLISHED))
    assert [model.reason[:7] for model in analysis.mixed if model.reason] == ["3 items"] * 3
