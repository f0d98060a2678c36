"""The search tool: the standard queries, how people and models word them, and nonsense."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.tasks.fact_item import FactItem
from shared.tasks.load_task import load_task
from shared.tools.search import Tools, search

STRIPE = load_task("company_research").items["stripe"]
DATA = load_task("company_research").toolbox("stripe").data
QUERIES = ["overview", "leadership", "products", "news", "market", "financials"]


@pytest.mark.parametrize("query", QUERIES)
def test_standard_query_is_answered_by_its_own_facts(query: str) -> None:
    """Each of the six standard queries gets exactly its facts, under its name."""
    answer = search(DATA, {"query": query})
    assert isinstance(STRIPE, FactItem)
    assert answer == f"Stripe: {query}\n{STRIPE.facts_text(query)}"


@pytest.mark.parametrize(
    ("asked", "topic"),
    [
        ("Stripe leadership team", "leadership"),
        ("Who is the CEO of Stripe?", "leadership"),
        ("Stripe products and services", "products"),
        ("latest news about Stripe", "news"),
        ("recent funding", "financials"),
        ("FINANCIALS", "financials"),
        ("market share and competitors", "market"),
        ("company overview", "overview"),
        ("tell me about Stripe", "overview"),
    ],
)
def test_natural_query_finds_its_topic(asked: str, topic: str) -> None:
    """A query in a person's words gets the topic that it asks for."""
    assert search(DATA, {"query": asked}).startswith(f"Stripe: {topic}\n")


def test_unknown_query_names_the_six() -> None:
    """A query about anything else gets an answer without facts that names the six known queries."""
    answer = search(DATA, {"query": "weather in Dublin"})
    assert answer.startswith("No results")
    assert all(query in answer for query in QUERIES)
    assert "Collison" not in answer


@pytest.mark.parametrize(
    "arguments", [{}, {"query": 7}, {"query": None}, {"query": " "}, {"q": "news"}, [], None]
)
def test_bad_arguments_get_helpful_text(arguments: Any) -> None:
    """Arguments that a model got wrong are answered with how to ask, never with an exception."""
    assert "Known queries: overview" in search(DATA, arguments)


@given(
    st.dictionaries(
        st.text(), st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text())), max_size=3
    )
)
def test_search_never_raises_and_repeats_itself(arguments: dict[str, Any]) -> None:
    """Whatever the arguments, search answers with text, and with the same text again."""
    assert search(DATA, arguments) == search(DATA, arguments) != ""


def test_the_tool_is_the_search() -> None:
    """The one tool of the set is described to models as search, and calling it searches."""
    (spec,) = Tools.SPECS
    assert spec.name == "search"
    assert Tools(DATA).call("search", {"query": "news"}) == search(DATA, {"query": "news"})
