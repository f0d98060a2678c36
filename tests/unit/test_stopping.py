"""The stopping rule: stated in the plan, taken at complete items, and not a way to find what is not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from analysis.estimates.family import compare_family
from analysis.read_runs import read_runs
from cluster.attempts import kept_in
from cluster.looks import Looks
from cluster.runs_csv import write_runs_csv
from cluster.schedule import Measure, Schedule, remaining
from shared.plan import Plan, ordered_runs
from shared.records import RunKey, Status
from shared.stopping import Stopped, Stopping
from shared.store import Store
from tests.unit.stored_records import begun, run

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
    # 0.05 and two standard errors of 100 draws.
    assert np.mean([false_finding(noise, Stopping(looks=LOOKS[:-1]).count) for _ in range(100)]) <= 0.094
    noise = np.random.default_rng(11)
    assert np.mean([false_finding(noise, 1) for _ in range(100)]) > 0.1


def experiment(folder: Path, rule: Plan) -> Store:
    return begun(folder, **rule.model_dump(exclude={"name"}))


def complete_item(
    store: Store, looks: Looks, rule: Plan, number: int, tokens: dict[str, int]
) -> list[Stopped | None]:
    """Every run of one item, complete: what the rule says after each."""
    said = []
    for framework in rule.frameworks:
        for iteration in range(1, rule.iterations + 1):
            key = RunKey(
                framework=framework, arm="idiomatic", task="t", item=f"item{number}", iteration=iteration
            )
            sent = tokens[framework] + 10 * number + iteration
            store.write_run(run(key=key, prompt_tokens=sent), [])
            said.append(looks.after(key))
    return said


def test_it_stops_when_all_is_decided(tmp_path: Path) -> None:
    """Nothing is looked at between looks; at one with every pair decided the experiment ends, and stays ended."""
    rule = plan(iterations=2)
    store = experiment(tmp_path, rule)
    looks = Looks(rule, store)
    said = [
        found
        for number in range(5)
        for found in complete_item(store, looks, rule, number, {"direct": 1000, "langgraph": 2000})
    ]
    assert said[:-1] == [None] * 19
    stopped = said[-1]
    assert stopped
    assert (stopped.items, stopped.look, stopped.looks) == (5, 1, 3)
    assert [(pair.a, pair.b, pair.found) for pair in stopped.pairs] == [("direct", "langgraph", "different")]
    store.write_stopped(stopped)
    assert list(remaining(ordered_runs(rule), kept_in(store, 1))) == []
    write_runs_csv(store)
    notes = read_runs(tmp_path).manifest
    assert stopped.sentence in notes.notes
    assert notes.planned_runs is None


def test_it_goes_on_while_a_pair_is_open(tmp_path: Path) -> None:
    """At a look that decides nothing the experiment goes on; after a resume no look is taken again."""
    rule = plan(iterations=1)
    store = experiment(tmp_path, rule)
    looks = Looks(rule, store)
    for number in range(6):
        about = 1000 + (-1) ** number * 300
        assert not any(complete_item(store, looks, rule, number, {"direct": 1000, "langgraph": about}))
    again = Looks(rule, store)
    assert not any(complete_item(store, again, rule, 6, {"direct": 1000, "langgraph": 5000}))


def test_a_stopped_schedule_finishes_what_it_began() -> None:
    """Blocks that are on a node come to their end; no other is handed out."""
    schedule = Schedule(remaining(ordered_runs(plan(iterations=1))), runs=24)
    steps: list[object] = [schedule.next("node")]
    schedule.processes_started("node")
    schedule.stop()
    assert schedule.left == 2
    while step := schedule.next("node"):
        assert isinstance(step, Measure)
        steps.append(step)
        schedule.finished("node", step.assignment, Status.COMPLETED)
    assert len(steps) == 3
    assert schedule.left == 0
