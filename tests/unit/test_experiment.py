"""A plan file is checked as a whole before anything starts, and mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.experiment import describe_experiment, experiment_folder, read_plan, total_runs
from shared.errors import PlanError
from shared.plan import Plan
from shared.settings import load_settings

GOOD = """
name: p
frameworks: [direct, langgraph]
tasks: [{name: company_research, items: [stripe]}]
"""


def plan_file(folder: Path, text: str) -> Path:
    path = folder / "plan.yaml"
    path.write_text(text)
    return path


SHIPPED = {
    "quick": 21,
    "proof": 42,
    "full": 63,
    "tools": 12,
    "data": 72,
    "dry": 8,
    "support": 132,
    "handoff": 30,
}
"""Plan -> its runs."""


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_plans_are_good(name: str) -> None:
    """Every plan in plans/ describes an experiment."""
    plan = read_plan(Path(f"plans/{name}.yaml"))
    describe_experiment(plan, load_settings({}, plan.settings))
    assert total_runs(plan) == SHIPPED[name]


def test_token_limits_are_for_the_agents_of_any_task(tmp_path: Path) -> None:
    """In a plan of several tasks a limit holds where there is such an agent; a name of no agent is refused."""
    two = """
name: p
frameworks: [direct]
tasks:
  - {name: company_research, items: [stripe]}
  - {name: coding, items: [parking-fee]}
limits: {max_tokens: {coder: 99, writer: 77}}
"""
    plan = read_plan(plan_file(tmp_path, two))
    tasks = describe_experiment(plan, load_settings({}, plan.settings)).tasks
    limits = {
        name: {agent.name: agent.max_tokens for agent in task.agents(item, max_tokens=plan.limits.max_tokens)}
        for name, item in (("company_research", "stripe"), ("coding", "parking-fee"))
        for task in [tasks[name]]
    }
    assert limits["company_research"]["writer"] == 77
    assert limits["coding"]["coder"] == 99
    wrong = read_plan(plan_file(tmp_path, two.replace("writer", "writter")))
    with pytest.raises(PlanError, match='Did you mean "writer"'):
        describe_experiment(wrong, load_settings({}, wrong.settings))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "not valid YAML near line"),
        ("- just\n- a list", "keys and values"),
        ("", "keys and values"),
        (GOOD + "iteratons: 3", 'Did you mean "iterations"'),
        (GOOD + "limits: {max_token: {}}", 'Did you mean "max_tokens"'),
        (GOOD + "stopping: {loks: [5]}", 'Did you mean "looks"'),
        (GOOD + "iterations: 0", "iterations: "),
        (GOOD + "iterations: many", "iterations: "),
        (GOOD.replace("[direct, langgraph]", "[]"), "frameworks"),
        (GOOD.replace("[direct, langgraph]", "[direct, direct]"), "more than once: direct"),
        (GOOD.replace("name: p", "name: ../../etc"), "name"),
        (GOOD + "bad: !!python/object/apply:os.system ['true']", "not valid YAML"),
    ],
)
def test_a_malformed_plan(tmp_path: Path, text: str, message: str) -> None:
    """Each kind of mistake in a plan file is a PlanError that says where."""
    with pytest.raises(PlanError, match=message):
        read_plan(plan_file(tmp_path, text))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("langgraph", "langgraf", 'Did you mean "langgraph"'),
        ("company_research", "company_reserch", 'Did you mean "company_research"'),
        ("stripe", "stryp", 'Did you mean "stripe"'),
    ],
)
def test_an_unknown_name(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Unknown frameworks, tasks and items are answered with the nearest right name."""
    plan = read_plan(plan_file(tmp_path, GOOD.replace(old, new)))
    with pytest.raises(PlanError, match=message):
        describe_experiment(plan, load_settings())


def test_a_missing_plan_file(tmp_path: Path) -> None:
    """The message names the file and where ready-made plans are."""
    with pytest.raises(PlanError, match=r"no\.yaml.*plans/"):
        read_plan(tmp_path / "no.yaml")


def test_same_plan_same_folder_and_fresh_a_new_one(tmp_path: Path) -> None:
    """The same plan finds its newest folder again; --fresh makes another; other limits are another experiment."""
    settings = load_settings({"results_dir": tmp_path})

    def folder(text: str, *, fresh: bool = False) -> Path:
        plan: Plan = read_plan(plan_file(tmp_path, text))
        return experiment_folder(describe_experiment(plan, settings), None, fresh=fresh)

    first = folder(GOOD)
    assert folder(GOOD, fresh=True) == first
    first.mkdir()
    assert folder(GOOD) == first
    second = folder(GOOD, fresh=True)
    assert second.name == f"{first.name}-2"
    second.mkdir()
    assert folder(GOOD) == second
    assert folder(GOOD + "seed: 8") not in (first, second)
