"""Where the variance of latency and tokens comes from: known truth, nodes, and what cannot be told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.panel.variance_budget import take_variance_apart
from analysis.variance.budget import measure_budgets
from analysis.variance.components import estimate_components, within_variance
from analysis.variance.result import VarianceBudget

from .analysis_rows import analyse_rows, clean_rows
from .panel_experiment import verdicts_of
from .pilot_runs import pilot


def latency_budget(seed: int, **effects: float) -> VarianceBudget:
    return measure_budgets(pilot(seed, **effects)[0], None)["latency_s"]


def test_components_of_latency_are_unbiased() -> None:
    """Over 80 simulated experiments the mean of each component is what was put in."""
    put_in = {"task": 1.0, "framework_by_task": 0.25, "run": 0.09}
    found: dict[str, list[float]] = {name: [] for name in put_in}
    for seed in range(80):
        budget = latency_budget(seed, items=12, frameworks=4, run=0.3)
        for name in put_in:
            found[name].append(budget.parts[name].variance)
    for name, variance in put_in.items():
        assert np.mean(found[name]) == pytest.approx(variance, abs=3.5 * np.std(found[name]) / np.sqrt(80)), (
            name
        )


def test_dyestuff_as_published() -> None:
    """Six batches of five: the components of the book, 1764 and 2451 (Davies & Goldsmith 1972, section 6.5)."""
    yields = (
        (1545, 1440, 1440, 1520, 1580), (1540, 1555, 1490, 1560, 1495), (1595, 1550, 1605, 1510, 1560),
        (1445, 1440, 1595, 1465, 1545), (1595, 1630, 1515, 1635, 1625), (1520, 1455, 1450, 1480, 1445),
    )  # fmt: skip
    rows = pd.DataFrame({"batch": np.repeat(list("ABCDEF"), 5), "one": "", "value": np.ravel(yields)})
    within = within_variance(rows, "batch", "one")
    assert within is not None
    assert (within.free, within.variance) == (24, pytest.approx(2451.25))
    found = estimate_components(rows, {"batch": "batch"}, within.variance)
    assert found.variances["batch"] == pytest.approx(1764.05)


def test_nodes_have_a_part_where_runs_crossed_them() -> None:
    """Iterations on two nodes, one 4 s slower: a variance of 8 is the nodes', and the runs' stays what it was."""
    runs, _ = pilot(1, items=20, run=0.3)
    slow = runs.table["iteration"] == 2
    runs.table["node"] = np.where(slow, "n2", "n1")
    runs.table["latency_s"] = runs.table["latency_s"] + 4 * slow
    budget = measure_budgets(runs, None)["latency_s"]
    assert budget.parts["node"].variance == pytest.approx(8, rel=0.1)
    assert budget.parts["run"].variance == pytest.approx(0.09, rel=0.4)


def test_one_node_is_no_part() -> None:
    """With one node, or none named, its part is refused in words; with items on their own nodes as well."""
    one = latency_budget(1)
    assert "node" not in one.parts
    assert "With one node its part of the variance cannot be told." in one.notes
    runs, _ = pilot(1)
    unnamed = measure_budgets(type(runs)(**{**vars(runs), "table": runs.table.assign(node="")}), None)
    assert "Which node a run was on is not known." in unnamed["tokens"].notes
    apart = runs.table["framework"].str.replace("f", "n")
    confounded = measure_budgets(type(runs)(**{**vars(runs), "table": runs.table.assign(node=apart)}), None)
    assert "node" not in confounded["tokens"].parts
    assert any("cannot be told from what ran on them" in note for note in confounded["tokens"].notes)


def test_quality_has_a_node_and_an_interaction() -> None:
    """Texts from two nodes, one 2 points better: the panel's budget says so beside what items make of frameworks."""
    _, verdicts = pilot(2, items=30, iterations=2, repeats=2, noise=0.2, run=0.3)
    second = verdicts.runs["text"].str.endswith("-1")
    verdicts.runs["node"] = np.where(second, "n2", "n1")
    verdicts.table["overall"] += 2.0 * verdicts.table["text"].str.endswith("-1")
    budget = take_variance_apart(verdicts)
    assert budget.parts["node"].variance == pytest.approx(2, rel=0.2)
    assert budget.parts["framework_by_task"].variance == pytest.approx(0.25, rel=0.5)
    assert budget.parts["run"].variance == pytest.approx(0.09, rel=0.6)
    assert budget.parts["judge_noise"].variance == pytest.approx(0.04, rel=0.3)


def test_one_text_per_cell_keeps_the_interaction_in_the_run() -> None:
    """Where no framework wrote two texts on an item the two cannot be told apart, and a note says so."""
    budget = take_variance_apart(pilot(3, iterations=1, repeats=2, noise=0.2)[1])
    assert "framework_by_task" not in budget.parts
    assert any("run holds what the items make" in note for note in budget.notes)


def test_refusals_in_plain_words() -> None:
    """One run per cell, equal values, no runs, a lone text: the reason in words."""
    assert "no framework ran an item twice" in (latency_budget(1, iterations=1).reason or "")
    still = latency_budget(1, item=0, interaction=0, run=0)
    assert "all values are equal" in (still.reason or "")
    nobody = pilot(1)[0]
    nobody.table["counted"] = False
    assert "fewer than two runs" in (measure_budgets(nobody, None)["tokens"].reason or "")
    assert "fewer than two texts" in (take_variance_apart(verdicts_of([])).reason or "")


def test_hardly_known_variance_is_said_to_be(tmp_path: Path) -> None:
    """A variance on one degree of freedom carries a note."""
    rows = clean_rows(iterations=1)
    rows.append(rows[0] | {"iteration": 2, "latency_s": rows[0]["latency_s"] + 1, "report_digest": "other"})
    budget = analyse_rows(tmp_path, rows).budgets["latency_s"]
    assert "Run rests on 1 degree of freedom, so it is hardly known." in budget.notes


def test_two_hundred_frameworks() -> None:
    """4,000 runs of 200 frameworks: parts for all factors."""
    budget = latency_budget(1, frameworks=200, items=10)
    assert set(budget.parts) == {"task", "framework", "framework_by_task", "run"}
    assert budget.runs == 4000
