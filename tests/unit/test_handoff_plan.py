"""Tasks whose agents hand over: what task.yaml may say, what a plan may ask for, what a node is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from cluster.experiment import briefs, check_pattern, describe_experiment, job_of
from cluster.schedule import Assignment
from shared.errors import PlanError
from shared.plan import Limits, Plan, TaskPlan
from shared.records import RunKey
from shared.settings import load_settings
from shared.tasks.load_task import load_task
from shared.tasks.task import Task, TaskDefinition

TRIAGE: dict[str, Any] = {
    "name": "triage",
    "instructions": "Read and hand over.",
    "request": "A letter about {item}.",
    "max_tokens": 50,
    "handoffs": ["refunds"],
}
REFUNDS: dict[str, Any] = {
    "name": "refunds",
    "instructions": "Pay.",
    "description": "Pays money back.",
    "max_tokens": 80,
}


def definition(*agents: dict[str, Any], pattern: str = "handoff") -> TaskDefinition:
    told = {"name": "t", "version": 1, "description": "d", "pattern": pattern, "agents": list(agents)}
    return TaskDefinition.model_validate(told)


def handing_over() -> Task:
    """The items of a shipped task, worked at by two agents of which one hands over."""
    task = load_task("company_research")
    return replace(task, definition=definition(TRIAGE, REFUNDS))


@pytest.mark.parametrize(
    ("agents", "pattern", "message"),
    [
        ([TRIAGE, REFUNDS], "pipeline", "triage: handoffs are of the pattern handoff"),
        ([REFUNDS], "pipeline", "refunds: it has no request"),
        ([TRIAGE | {"request": ""}, REFUNDS], "handoff", "triage: it has no request, and it is the one"),
        ([TRIAGE | {"handoffs": []}, REFUNDS], "handoff", "triage: it starts, and has no handoffs"),
        ([TRIAGE, REFUNDS | {"request": "Pay."}], "handoff", "refunds: its request would never be said"),
        ([TRIAGE | {"handoffs": ["refund"]}, REFUNDS], "handoff", 'Did you mean "refunds"'),
        ([TRIAGE | {"handoffs": ["triage"]}, REFUNDS], "handoff", "triage: handoffs: "),
        ([TRIAGE, REFUNDS | {"description": ""}], "handoff", "refunds: it has no description"),
    ],
)
def test_agents_that_do_not_fit_the_pattern(agents: list[dict[str, Any]], pattern: str, message: str) -> None:
    """Each thing that one pattern needs and the other has no use for is an error that names the agent."""
    with pytest.raises(ValidationError, match=message):
        definition(*agents, pattern=pattern)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frameworks": ["direct", "crewai"]}, "CrewAI has no way of handing over: leave it out"),
        ({"arms": ["idiomatic", "equalised"]}, "only the arm idiomatic"),
        ({"arms": ["equalised"]}, "only the arm idiomatic"),
    ],
)
def test_a_plan_that_cannot_hand_over_is_refused(changes: dict[str, Any], message: str) -> None:
    """A framework or an arm that does not know the task's pattern is an error before anything runs."""
    plan = Plan.model_validate(
        {"name": "p", "frameworks": ["direct"], "tasks": [{"name": "t", "items": ["stripe"]}]} | changes
    )
    with pytest.raises(PlanError, match=message):
        check_pattern(plan, handing_over())


def test_every_framework_and_arm_knows_the_pipeline() -> None:
    """A task in a fixed order may be asked of all frameworks in both arms."""
    plan = Plan.model_validate(
        {
            "name": "p",
            "frameworks": ["direct", "crewai"],
            "arms": ["idiomatic", "equalised"],
            "tasks": [{"name": "company_research", "items": ["stripe"]}],
        }
    )
    check_pattern(plan, load_task("company_research"))


def test_what_a_node_and_the_proof_are_told() -> None:
    """Job and brief carry targets, descriptions and the bound, and budgets have room for as many turns."""
    plan = Plan(
        name="p",
        frameworks=["direct"],
        tasks=[TaskPlan(name="company_research", items=["stripe"])],
        limits=Limits(max_handoffs=2, max_steps=5),
    )
    experiment = describe_experiment(plan, load_settings({}, {}))
    experiment = replace(experiment, tasks={"company_research": handing_over()})
    key = RunKey(framework="direct", arm="idiomatic", task="company_research", item="stripe", iteration=1)
    job = job_of(experiment, Assignment(key, 1, 1), "abc")
    assert (job.pattern, job.max_handoffs) == ("handoff", 2)
    assert [spec.handoffs for spec in job.agents] == [("refunds",), ()]
    assert job.agents[1].description == "Pays money back."
    # Any of the three turns may be anybody's: as many calls as triage may make, of as many tokens as refunds may.
    assert job.most_model_calls == 2 * 3 * 5
    assert job.most_completion_tokens == 2 * 3 * 5 * 80
    [brief] = briefs(experiment, "m")
    assert brief.hands_over
    assert brief.max_handoffs == 2
    assert brief.agents[1].user_turn == ""


def test_a_pipeline_has_no_handoffs() -> None:
    """Whatever the plan's bound on handoffs, a task in a fixed order is run without any."""
    plan = Plan(name="p", frameworks=["direct"], tasks=[TaskPlan(name="company_research", items=["stripe"])])
    experiment = describe_experiment(plan, load_settings({}, {}))
    key = RunKey(framework="direct", arm="idiomatic", task="company_research", item="stripe", iteration=1)
    assert job_of(experiment, Assignment(key, 1, 1), "abc").max_handoffs == 0
    [brief] = briefs(experiment, "m")
    assert not brief.hands_over
    assert brief.max_handoffs == 0
