"""Checks without a model: sections, words, and facts that survive formatting."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge.checks import check_report, count_words
from judge.passage import read_passage
from judge.sections import sections_found
from shared.tasks.load_task import load_task

SPEC = load_task("company_research").check_spec("stripe")


@pytest.mark.parametrize(
    "heading",
    [
        "## Products & Services", "Products and Services", "# products and services #", "**Products & Services**",
        "**Products & Services:**", "3. Products & Services", "## 3) **Products & Services**", "III. PRODUCTS & SERVICES:",
        "- Product & Services", "Section 3: Products & Services", "PRODUCTS & SERVICES",
    ],
)  # fmt: skip
def test_headings_are_found_in_any_dress(heading: str) -> None:
    """A heading counts with Markdown marks, bold, numbering, plain, and with "and" for "&"."""
    assert sections_found(f"Intro.\n\n{heading}\n\nText.", SPEC.sections) == ["Products & Services"]


def test_heading_and_text_may_share_a_line() -> None:
    """A line that begins with the section's name and a colon is heading and text at once."""
    text = "**Conclusion:** Stripe grows.\nKey Insights: none"
    assert sections_found(text, SPEC.sections) == ["Key Insights", "Conclusion"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "In conclusion, Stripe grows.",
        "This Executive Summary is short.",
        "## Conclusion",
        "## Conclusion\n\n---\n",
        "Our market position improves: it is good.",
    ],
)
def test_what_is_no_section(text: str) -> None:
    """A mention in a sentence is no heading, and a heading without text is no section."""
    assert sections_found(text, SPEC.sections) == []


def test_headings_in_a_row_hold_nothing() -> None:
    """A list of headings with text only under the last has one section."""
    text = "\n".join(f"## {section}" for section in SPEC.sections) + "\nText."
    assert sections_found(text, SPEC.sections) == ["Conclusion"]


def test_words_are_counted_as_defined() -> None:
    """Words stand between white space and hold a letter or digit; marks alone are none."""
    assert (
        count_words("## Key Insights\n- Stripe's volume: $1.4 trillion (up 38%) — well-known\n---\n| a |")
        == 10
    )


@pytest.mark.parametrize(("words", "in_range"), [(499, False), (500, True), (800, True), (801, False)])
def test_length_has_inclusive_bounds(words: int, in_range: bool) -> None:
    """500 and 800 words are in range, one less or more is not."""
    result = check_report("word " * words, "r", "a", SPEC)
    assert (result.words, result.words_in_range) == (words, in_range)


@pytest.mark.parametrize(
    "text",
    ["$7 billion", "7bn", "$7B", "US$7.0 billion", "USD 7 billion", "**$7** billion", "over 7,000 million",
     "$7,000,000,000", "a $7-billion deal", "$7\u00a0billion", "$7.01 billion", "7.0bn)."],
)  # fmt: skip
def test_an_amount_survives_formatting(text: str) -> None:
    """$7 billion is found however it is written."""
    assert read_passage(f"It raised {text}, they say.").states("$7 billion")


@pytest.mark.parametrize(
    "text",
    ["$7 million", "$70 billion", "€7 billion", "7%", "7", "$7.5 billion", "17 billion", "$7", "Q7 billion", "1.7bn",
     "$7 or a billion"],
)  # fmt: skip
def test_another_amount_is_not_taken_for_it(text: str) -> None:
    """Other figures, currencies and units are not $7 billion."""
    assert not read_passage(f"It raised {text}, they say.").states("$7 billion")


@pytest.mark.parametrize(
    ("term", "text", "stated"),
    [
        ("83%", "83 percent of customers", True),
        ("83%", "83 per cent", True),
        ("83%", "83 customers", False),
        ("2010", "founded in 2010.", True),
        ("2010", "$2,010 was paid", False),
        ("2010", "2010s", False),
        ("300,000", "more than 300k customers", True),
        ("2024", "2024 M&A activity", True),
        ("May 2025", "on 22 May 2025", True),
        ("May 2025", "May 22nd, 2025", True),
        ("May 2025", "2025-05-22", True),
        ("May 2025", "in May and June of 2024", False),
        ("June 2025", "Jun. 2025", True),
        ("Lê-Quôc", "Alexis Le-Quoc, CTO", True),
        ("Lê-Quôc", "**Alexis Lê\u2011Quôc**", True),
        ("O'Mara", "Eileen O\u2019Mara", True),
        ("S&P 500", "the S&P 500 index", True),
        ("CEO", "ceos", False),
        ("Meta", "metadata", False),
        ("Claude Code", "Claude\ncode", True),
    ],
)
def test_terms_are_read_as_what_they_are(term: str, text: str, stated: bool) -> None:
    """Percentages, years, months, names and phrases are compared as such, whole and without their dress."""
    assert read_passage(text).states(term) is stated


def test_terms_of_a_fact_stand_in_one_paragraph() -> None:
    """Names and figures scattered over paragraphs do not add up to a fact."""
    together = "Patrick Collison\nis the CEO."
    apart = "Patrick Collison\n\nThe CEO is somebody else."
    assert check_report(together, "r", "a", SPEC).facts_found == ["stripe.leadership.1"]
    assert check_report(apart, "r", "a", SPEC).facts_found == []


def test_result_names_what_it_belongs_to() -> None:
    """A result carries run, attempt and the checks' version, and counts what is missing."""
    result = check_report("", "run", "attempt", SPEC)
    assert (result.run_id, result.attempt_id, result.checks) == ("run", "attempt", "company_research/1.2")
    assert result.sections_missing == list(SPEC.sections)
    assert (result.facts_found, result.facts_total, result.words) == ([], len(SPEC.facts), 0)


@settings(deadline=None)  # the first text loads the languages
@given(st.text())
def test_no_text_breaks_the_checks(text: str) -> None:
    """Whatever a report holds, the checks end with a result."""
    result = check_report(text, "r", "a", SPEC)
    assert len(result.sections_found) + len(result.sections_missing) == len(SPEC.sections)


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "1,",
        "1,234",
        "$ ",
        "jan ",
        "\n",
        "#",
        "\n \t",
        "é½\u0301",
        "1.1.1.",
        "Executive Summary: \n",
        "{",
        "<b>",
        "a\n\n",
    ],
)
@pytest.mark.timeout(60)  # a pattern that runs away takes hours; two seconds is usual
def test_a_megabyte_of_anything_is_checked(unit: str) -> None:
    """No text makes a pattern run away: a megabyte of it ends, however slow the machine."""
    text = unit * (1_000_000 // len(unit))
    assert check_report(text, "r", "a", SPEC).facts_total == len(SPEC.facts)
