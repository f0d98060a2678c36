"""Every item of every task: its facts can be found again, and the page on adding one tells the truth."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from judge.checks import check_report
from shared.tasks.fact_item import FactItem
from shared.tasks.load_task import load_items, load_task, task_names
from shared.tools.search import search

PAGE = Path(__file__).parents[2] / "docs" / "add-a-company.md"
ITEMS = [
    (task, item, known)
    for task in task_names()
    for item, known in load_task(task).items.items()
    if isinstance(known, FactItem)
]

SHIPPED = (
    *("anthropic", "backblaze", "cloudflare", "datadog", "duolingo", "microsoft"),
    *("netflix", "nvidia", "shopify", "spotify", "stripe", "yext"),
)


@pytest.mark.parametrize(("name", "item", "known"), ITEMS)
def test_each_fact_is_found_in_its_own_words_and_in_no_other(name: str, item: str, known: FactItem) -> None:
    """A report made of one fact's text states that fact and no other: recall and text cannot disagree."""
    spec = load_task(name).check_spec(item)
    for fact in known.facts:
        assert check_report(fact.text, "run", "attempt", spec).facts_found == [fact.id]


@pytest.mark.parametrize(("name", "item", "known"), ITEMS)
def test_no_fact_names_a_source(name: str, item: str, known: FactItem) -> None:
    """Facts are marked as benchmark data with their date, and none claims a source."""
    assert "benchmark data" in known.notice
    assert str(known.as_of) in known.notice
    assert not re.search(r"https?:|www\.|source:", " ".join(fact.text for fact in known.facts), re.IGNORECASE)


@pytest.mark.parametrize("item", SHIPPED)
def test_shipped_companies_are_alike_in_size(item: str) -> None:
    """Each has four to six facts per query, and results short enough for a small model."""
    task = load_task("company_research")
    known = task.item(item)
    assert isinstance(known, FactItem)
    per_query = Counter(fact.query for fact in known.facts)
    assert set(per_query) == set(task.definition.queries)
    assert all(4 <= count <= 6 for count in per_query.values())
    assert len(task.agents(item)[0].request) < 3_000


def test_page_on_adding_a_company_works(tmp_path: Path) -> None:
    """The file shown in docs/add-a-company.md, dropped into a folder, is a company that the task can run."""
    page = PAGE.read_text()
    (tmp_path / "wikimedia.yaml").write_text(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    company = load_task("company_research")
    items = load_items(tmp_path, company.definition.queries)
    task = replace(company, items=items)
    researcher = task.agents("wikimedia")[0]
    assert "Wikimedia" in researcher.request
    known = items["wikimedia"]
    assert isinstance(known, FactItem)
    for fact in known.facts:
        assert fact.text in researcher.request
        assert fact.text in search(task.toolbox("wikimedia").data, {"query": fact.query})
        assert fact.id in check_report(fact.text, "run", "attempt", task.check_spec("wikimedia")).facts_found
