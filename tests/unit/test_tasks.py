"""Loading a task, what it hands to agents, tools and judges, and what is said of malformed files."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.errors import PlanError
from shared.tasks.fact_item import Fact, FactItem
from shared.tasks.load_task import TASKS, load_items, load_task, task_names
from shared.tasks.task import Task

STRIPE = TASKS / "company_research" / "items" / "stripe.yaml"


@pytest.fixture
def task() -> Task:
    return load_task("company_research")


def facts_of(task: Task, item: str) -> tuple[Fact, ...]:
    known = task.item(item)
    assert isinstance(known, FactItem)
    return known.facts


def test_unknown_names_are_answered_with_the_nearest(task: Task) -> None:
    """A misspelt task or item is an error that names the nearest right one and all there are."""
    with pytest.raises(PlanError, match="company_research"):
        load_task("compny_reserch")
    with pytest.raises(PlanError, match=r'"stripe".*anthropic, backblaze, cloudflare, datadog'):
        task.item("Strpe")


@pytest.mark.parametrize("name", task_names())
def test_every_task_is_complete(name: str) -> None:
    """Each task on disk has wording for each of its agents, items, a rubric and tools that answer."""
    task = load_task(name)
    assert task.name == name
    for item in task.items:
        for spec in task.agents(item) + task.agents(item, "agent"):
            assert spec.instructions
            assert spec.request or task.definition.pattern == "handoff"


def test_prefetched_agents_get_the_results_and_no_tools(task: Task) -> None:
    """In the default mode the researcher holds every known fact, and nobody has a tool."""
    agents = task.agents("datadog")
    assert [agent.name for agent in agents] == ["researcher", "analyst", "writer"]
    assert all(fact.text in agents[0].request for fact in facts_of(task, "datadog"))
    assert all(agent.tools == () for agent in agents)


def test_agents_that_call_tools_hold_no_facts(task: Task) -> None:
    """With tools in the agents' hands only the researcher has one, and no request gives a fact away."""
    researcher, analyst, writer = task.agents("datadog", "agent")
    assert [tool.name for tool in researcher.tools] == ["search"]
    assert analyst.tools == writer.tools == ()
    assert not any(fact.text in researcher.request for fact in facts_of(task, "datadog"))


def test_limits_come_from_the_task_unless_the_plan_sets_them(task: Task) -> None:
    """A plan's token limit replaces the task's own for the agent that it names and no other."""
    own = {agent.name: agent.max_tokens for agent in task.agents("stripe")}
    changed = {agent.name: agent.max_tokens for agent in task.agents("stripe", max_tokens={"writer": 192})}
    assert changed == own | {"writer": 192}


def test_judge_is_handed_no_prompt(task: Task) -> None:
    """The description says what was asked for and by when, in none of the agents' sentences."""
    description = task.description("stripe")
    assert "Stripe" in description
    assert "Executive Summary" in description
    for agent in task.agents("stripe"):
        sentences = (agent.instructions + " " + agent.request).split(". ")
        assert not any(sentence in description for sentence in sentences)


def test_check_spec_holds_form_and_facts(task: Task) -> None:
    """What reports are checked against: six sections, 500 to 800 words, every fact with its terms."""
    spec = task.check_spec("anthropic")
    assert len(spec.sections) == 6
    assert (spec.min_words, spec.max_words) == (500, 800)
    assert [fact.id for fact in spec.facts] == [fact.id for fact in facts_of(task, "anthropic")]
    assert spec.label == "company_research/1"


def test_digests_follow_what_can_change_a_result(task: Task) -> None:
    """Runs' digest changes with a fact or a word of a prompt, but not with an item that is not used."""
    before = task.digests(["stripe"])
    assert before == task.digests(["stripe"])
    fewer = replace(task, items={"stripe": task.items["stripe"]})
    assert fewer.digests(["stripe"]) == before
    *others, writer = task.definition.agents
    reworded = (*others, writer.model_copy(update={"instructions": "You write."}))
    definition = task.definition.model_copy(update={"agents": reworded})
    assert replace(task, definition=definition).digests(["stripe"])["runs"] != before["runs"]
    assert task.rubric
    rubric = task.rubric.model_copy(update={"version": 2})
    changed = replace(task, rubric=rubric).digests(["stripe"])
    assert changed["runs"] == before["runs"]
    assert changed["judging"] != before["judging"]


def _without(data: dict[str, Any], key: str) -> None:
    data["facts"][2].pop(key)


MALFORMED = {
    "no id": (lambda data: _without(data, "id"), r"facts\[2\]\.id"),
    "no expectation": (
        lambda data: data["facts"][2].update(expect=[]),
        r"facts\[2\] \(stripe.overview.3\)\.expect",
    ),
    "equal ids": (lambda data: data["facts"].append(data["facts"][0]), "stripe.overview.1"),
    "no date": (lambda data: data.pop("as_of"), "as_of"),
    "unknown query": (lambda data: data["facts"][0].update(query="leaders"), r'facts\[0\].*"leadership"'),
    "unanswered query": (
        lambda data: data.update(facts=[fact for fact in data["facts"] if fact["query"] != "news"]),
        "'news'",
    ),
    "unknown key": (lambda data: data.update(founded=2010), "founded"),
    "yes read as true": (lambda data: data["facts"][0].update(expect=[True]), "quotes"),
    "term of nothing": (lambda data: data["facts"][0].update(expect=["--"]), "no letter or digit"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_item_is_named_with_its_key(tmp_path: Path, task: Task, case: str) -> None:
    """What is wrong with an item file is one error that names the file and the key."""
    spoil, named = MALFORMED[case]
    data = yaml.safe_load(STRIPE.read_text())
    spoil(data)
    (tmp_path / "stripe.yaml").write_text(yaml.safe_dump(data))
    with pytest.raises(PlanError, match=named) as raised:
        load_items(tmp_path, task.definition.queries)
    assert "stripe.yaml" in str(raised.value)


@pytest.mark.parametrize(
    "text", ["", "just words", "- a\n- b", "name: [", "\x00", "a: !!python/object:os.system {}"]
)
def test_file_that_is_no_item_is_an_error(tmp_path: Path, task: Task, text: str) -> None:
    """A file that is no YAML mapping, or tries to make Python objects, is refused by name."""
    (tmp_path / "odd.yaml").write_text(text)
    with pytest.raises(PlanError, match=r"odd\.yaml"):
        load_items(tmp_path, task.definition.queries)


def test_file_names_must_fit_into_plans(tmp_path: Path, task: Task) -> None:
    """An item file whose name no plan can hold is refused."""
    shutil.copy(STRIPE, tmp_path / "my company.yaml")
    with pytest.raises(PlanError, match="my company"):
        load_items(tmp_path, task.definition.queries)


def test_a_limited_task_is_limited_everywhere() -> None:
    """With one fact per query, agents, tools, judge and checks all know six facts and no more."""
    full = load_task("company_research")
    limited = full.limited(1)
    assert full.limited(None) is full
    assert limited.evidence("stripe").count("- ") == 6
    assert len(limited.check_spec("stripe").facts) == 6
    topics = limited.toolbox("stripe").data["topics"]
    assert all(topic["text"].count("\n") == 0 for topic in topics.values())
    assert len(limited.agents("stripe")[0].request) < len(full.agents("stripe")[0].request)
