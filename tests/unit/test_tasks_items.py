"""Every item of every task: its facts can be found again, and the page on adding one tells the truth."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from judge.checks import check_report
from shared.tasks.load_task import load_items, load_task, task_names
from shared.tasks.task import Task
from shared.tools.search import search

PAGE = Path(__file__).parents[2] / "docs" / "add-a-company.md"
ITEMS = [(task, item) for task in task_names() for item in load_task(task).items]


@pytest.mark.parametrize(("name", "item"), ITEMS)
def test_each_fact_is_found_in_its_own_words_and_in_no_other(name: str, item: str) -> None:
    """A report made of one fact's text states that fact and no other: recall and text cannot disagree."""
    task = load_task(name)
    spec = task.check_spec(item)
    for fact in task.item(item).facts:
        assert check_report(fact.text, "run", "attempt", spec).facts_found == [fact.id]


@pytest.mark.parametrize(("name", "item"), ITEMS)
def test_no_fact_names_a_source(name: str, item: str) -> None:
    """Facts are marked as benchmark data with their date, and none claims a source."""
    known = load_task(name).item(item)
    assert "benchmark data" in known.notice
    assert str(known.as_of) in known.notice
    assert not re.search(r"https?:|www\.|source:", " ".join(fact.text for fact in known.facts), re.IGNORECASE)


@pytest.mark.parametrize("item", ["anthropic", "stripe", "datadog", "cloudflare", "shopify", "nvidia"])
def test_shipped_companies_are_alike_in_size(item: str) -> None:
    """Each has four to six facts per query, and results short enough for a small model."""
    task = load_task("company_research")
    per_query = Counter(fact.query for fact in task.item(item).facts)
    assert set(per_query) == set(task.definition.queries)
    assert all(4 <= count <= 6 for count in per_query.values())
    assert len(task.agents(item)[0].request) < 3_000


def test_page_on_adding_a_company_works(tmp_path: Path) -> None:
    """The file shown in docs/add-a-company.md, dropped into a folder, is a company that the task can run."""
    page = PAGE.read_text()
    (tmp_path / "wikimedia.yaml").write_text(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    company = load_task("company_research")
    items = load_items(tmp_path, company.definition.queries)
    task = Task(company.definition, company.prompts, items, company.rubric)
    researcher = task.agents("wikimedia")[0]
    assert "Wikimedia" in researcher.request
    for fact in items["wikimedia"].facts:
        assert fact.text in researcher.request
        assert fact.text in search(task.tool_data("wikimedia")["search"], {"query": fact.query})
        assert fact.id in check_report(fact.text, "run", "attempt", task.check_spec("wikimedia")).facts_found
