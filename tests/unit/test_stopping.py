"""The stopping rule: stated in the plan, taken at complete items, and not a way to find what is not there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from analysis.estimates.family import compare_family
from shared.plan import Plan, ordered_runs
from shared.stopping import Stopping

LOOKS = (5, 8, 12, 16, 20)


def plan(items: int = 12, **changes: object) -> Plan:
    named = [f"item{number}" for number in range(items)]
    content: dict[str, object] = {
        "name": "p",
        "frameworks": ["direct", "langgraph"],
        "tasks": [{"name": "t", "items": named}],
        "iterations": 3,
        "stopping": {"metric": "tokens", "looks": [5, 8]},
    }
    return Plan.model_validate(content | changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stopping": {"looks": [4, 8]}}, "looks begin at 5 items"),
        ({"stopping": {"looks": [8, 6]}}, "looks must rise: 8, 6"),
        ({"stopping": {"looks": []}}, "at least 1"),
        ({"stopping": {"looks": [5, 12]}}, "below 12, the number of items"),
        ({"stopping": {"looks": [5], "metric": "quality"}}, "tokens"),
        ({"tasks": [{"name": "t", "items": ["a"]}, {"name": "u", "items": ["a"]}]}, "a plan of one task"),
    ],
)
def test_a_rule_that_cannot_be_kept(changes: dict[str, object], said: str) -> None:
    """Looks that are too early, out of order or at the end, and rules over several tasks, are refused."""
    with pytest.raises(ValidationError, match=said):
        plan(**changes)


def test_items_are_run_as_wholes() -> None:
    """With a rule each item's blocks follow one another, the items in an order of the plan's seed."""
    order = [block[0].item for block in ordered_runs(plan())]
    assert [order[place] for place in range(0, 36, 3)] == list(dict.fromkeys(order))
    assert order != sorted(order)
    assert order != [block[0].item for block in ordered_runs(plan(seed=8))]
    assert sorted(map(str, ordered_runs(plan()))) == sorted(map(str, ordered_runs(plan(stopping=None))))


def false_finding(noise: np.random.Generator, looks: int) -> bool:
    """Whether any look at six frameworks that do not differ shows a pair different."""
    values = noise.normal(1000, 100, (LOOKS[-1], 1)) + noise.normal(0, 30, (LOOKS[-1], 6))
    for items in LOOKS:
        found = compare_family(
            "tokens", None, pd.DataFrame(values[:items]), margin=50, noise=None, floor=None, looks=looks
        )
        assert found
        if any(pair.shown for pair in found.pairs):
            return True
    return False


@pytest.mark.timeout(600)
def test_looking_often_finds_nothing_that_is_not_there() -> None:
    """Of experiments without a difference at most about 5 in 100 stop with one; without the rule, many more."""
    noise = np.random.default_rng(11)
    # 0.05 and two standard errors of 150 draws.
    assert np.mean([false_finding(noise, Stopping(looks=LOOKS[:-1]).count) for _ in range(150)]) <= 0.086
    noise = np.random.default_rng(11)
    assert np.mean([false_finding(noise, 1) for _ in range(150)]) > 0.1
