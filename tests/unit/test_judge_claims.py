"""Claims that no source supports: figures and names, from whatever a model writes."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge.checks import check_report
from judge.claims import MAX_CLAIM_CHARS, MAX_CLAIMS, MAX_PART_CHARS, MAX_PARTS, unsupported_claims
from judge.sentences import MAX_SENTENCE_CHARS, MAX_SENTENCES, read_sentences
from shared.records import CheckResult
from shared.tasks.fact_item import FactItem
from shared.tasks.load_task import load_task, task_names
from shared.yardsticks import CheckSpec

SPEC = load_task("company_research").check_spec("stripe")
ITEMS = [
    (task, item, known)
    for task in task_names()
    for item, known in load_task(task).items.items()
    if isinstance(known, FactItem)
]


def unsupported(text: str, spec: CheckSpec = SPEC) -> list[str]:
    claims, _ = unsupported_claims(read_sentences(text, spec.sections), spec)
    return [part for claim in claims for part in claim.unsupported]


@pytest.mark.parametrize(("name", "item", "known"), ITEMS)
def test_known_facts_are_supported(name: str, item: str, known: FactItem) -> None:
    """A report made of an item's own facts, and of what was asked for, holds no unsupported claim."""
    task = load_task(name)
    spec = task.check_spec(item)
    text = "\n".join((*(fact.text for fact in known.facts), task.description(item)))
    assert unsupported(text, spec) == []


@pytest.mark.parametrize(
    "figure",
    ["$91.5 billion", "US$91.5bn", "91,500 million dollars", "over $91 billion", "nearly $92 billion", "$90 billion",
     "135", "100 countries", "38 per cent", "1.3%", "in 2010", "in May 2025", "on 17 June 2025", "2025-02-28",
     "02/28/2025", "FY2024", "half, or 50%,", "one trillion one way or 1.4 trillion", "at 24/7", "for 3 reasons",
     "a 10x gain", "in the 2010s", "between 2010 and 2024", "on 17 June", "June 17th"],
)  # fmt: skip
def test_supported_figures(figure: str) -> None:
    """A known figure is supported in any form and rounded; counting words and what is no figure claim nothing."""
    found = unsupported(f"It stood {figure} then.")
    assert found == ([] if "one trillion" not in figure else ["1 trillion"])


@pytest.mark.parametrize(
    ("figure", "found"),
    [
        ("$95 billion", ["$95 billion"]),
        ("$91.5 million", ["$91.5 million"]),
        ("€91.5 billion", ["€91.5 billion"]),
        ("$2 billion", ["$2 billion"]),
        ("137", ["137"]),
        ("39%", ["39%"]),
        ("in 2011", ["2011"]),
        ("in June 2024", ["june 2024"]),
        ("14 February 2024", ["14 february 2024"]),
        ("2024-02-14", ["2024-02-14"]),
        ("02/14/2019", ["2019"]),
        ("8,500 people", ["8,500"]),
        ("25-30%", ["25", "30%"]),
        ("from $3.1 to $3.3 billion", ["$3.1", "$3.3 billion"]),
        ("seven billion", ["7 billion"]),
        ("99.999%", ["99.999%"]),
        ("4.7 stars", ["4.7"]),
        ("market 2027", ["2027"]),
    ],
)
def test_unsupported_figures(figure: str, found: list[str]) -> None:
    """An altered or invented figure is listed as it is written: amounts, counts, shares, years, months, ranges."""
    assert unsupported(f"It stood at {figure} then.") == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It works with Apple Pay.", ["Apple Pay"]),
        ("Elon Musk invested early.", ["Elon Musk"]),
        ("The deal with JPMorgan Chase & Co. closed.", ["JPMorgan Chase"]),
        ("PayU is a rival.", ["PayU"]),
        ("GDPR binds it.", ["GDPR"]),
        ("- Stripe Elements: a set of components", ["Stripe Elements"]),
        ("Its customers include Société Générale\u2019s clients.", ["Société Générale"]),
        ("Shopify grew. Many say Shopify leads.", ["Shopify", "Shopify"]),
        ("Dublin-based Fenergo competes.", ["Fenergo"]),
    ],
)
def test_unsupported_names(text: str, found: list[str]) -> None:
    """A name that no source holds is listed with the capitalised words that touch it."""
    assert unsupported(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "Patrick Collison's company competes with PayPal\u2019s Braintree.",
        "On Monday the Board met in January.",
        "However, its Key Performance Indicators matter.",
        "The Company\u2019s Payments and Payment Methods grow.",
        "Total Payment Volume (TPV) grows.",
        "**Global Reach:** It is everywhere.",
        "- Wallets: they hold money.",
        "Widgets sell.",
        "STRIPE SELLS WIDGETS.",
        "Artificial Intelligence and Machine Learning detect fraud.",
        "San Francisco-based and Dublin-based teams",
        "## Acme in 2030\n\n**Beta Limited**\n\n```markdown\n",
        "Some say Widgets sell, others say widgets do not.",
        "See [the site](https://acme.example/Gamma) and www.delta.example/Page.",
        '<div class="Epsilon">text</div>',
        "Executive Summary",
        "1. Payments\n2) Billing\n(3) Radar\niv. Atlas",
    ],
)
def test_capitals_that_name_nothing_unknown(text: str) -> None:
    """Known names, openers, titles, the calendar, labels, headings, markup and abbreviations are no claims."""
    assert unsupported(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It works through Stripe Pay", []),
        ("It works through Stripe Pay.", ["Stripe Pay"]),
        ("It works through Stripe Pax", ["Stripe Pax"]),
        ("It was valued at $91", []),
        ("It was valued at $92", ["$92"]),
        ("It was founded in 20", []),
        ("It was founded in 2011", ["2011"]),
    ],
)
def test_a_report_that_is_cut_off(text: str, found: list[str]) -> None:
    """The last word of a report that stops in mid-sentence may be part of a known word or figure."""
    assert unsupported(text) == found


def test_text_in_the_dress_of_a_heading() -> None:
    """A heading longer than headings are is read as text."""
    assert unsupported(f"## 1. {'It is known that they are good and ' * 4} EcoCycle has 99 people.") == [
        "99",
        "EcoCycle",
    ]


def test_a_claim_is_listed_with_its_sentence() -> None:
    """Sentence and parts are kept together; the other sentences of the paragraph stay out."""
    text = "Stripe was founded in 2010. It has 8,500 employees at Acme Corp. in Boston. Radar detects fraud."
    claims, total = unsupported_claims(read_sentences(text, SPEC.sections), SPEC)
    assert total == 1
    assert claims[0].sentence == "It has 8,500 employees at Acme Corp. in Boston."
    assert claims[0].unsupported == ["8,500", "Acme", "Boston"]


def test_without_sources_nothing_is_unsupported() -> None:
    """A task that gives no sources gets no claims, rather than a report full of them."""
    bare = SPEC.model_copy(update={"sources": ()})
    assert unsupported("Acme paid $3 to Beta in 1999.", bare) == []


def test_what_is_kept_is_bounded() -> None:
    """However many and long the claims, a record keeps few and short ones, and counts all."""
    names = " ".join(f"of Name{chr(97 + number % 26)}{'x' * 200}y" for number in range(15))
    text = "\n".join(f"Line {number} speaks {names}" for number in range(100))
    result = check_report(text, "r", "a", SPEC)
    assert result.unsupported_sentences is not None
    assert result.unsupported_sentences >= 100
    assert len(result.unsupported) == MAX_CLAIMS
    for claim in result.unsupported:
        assert len(claim.sentence) <= MAX_CLAIM_CHARS
        assert 1 <= len(claim.unsupported) <= MAX_PARTS
        assert all(len(part) <= MAX_PART_CHARS for part in claim.unsupported)


MARKUP = ["<b>", "**", "| a ", "[x](y)", "&amp;", "# A\n", "<p>$9</p>\n", "- A: B\n", "`", "```\n"]
HARD = st.text() | st.text(alphabet="Aa1$%.,:-\u2013\u2019'\"()[]<>|*#`~\n \u202e\u200b\x00\ud800é") | st.lists(
    st.sampled_from([*MARKUP, "Acme ", "$7bn ", "2030 ", "May 2031. ", "\u202e", "\x00", "\ud800", "\n\n"])
).map("".join)  # fmt: skip


@settings(deadline=None)  # a loaded machine is slow, and that is no error
@given(HARD)
def test_any_text_gives_a_record_that_can_be_written(text: str) -> None:
    """Whatever the text holds, there is a result that JSON can carry and that reads back as the same."""
    result = check_report(text, "r", "a", SPEC)
    again = CheckResult.model_validate_json(result.model_dump_json())
    assert again == result
    for claim in result.unsupported:
        assert claim.unsupported
        assert not set(claim.sentence) & {"\x00", "\u202e", "\u200b", "\ud800", "\n"}


@settings(deadline=None)  # a loaded machine is slow, and that is no error
@given(HARD)
def test_sentences_are_bounded_and_of_the_text(text: str) -> None:
    """No sentence is longer than its bound, and no word is read that the text does not hold."""
    sentences = read_sentences(text, SPEC.sections)
    assert len(sentences) <= MAX_SENTENCES
    for sentence in sentences:
        assert 0 < len(sentence.text) <= MAX_SENTENCE_CHARS
        assert sentence.label_chars <= len(sentence.text)


def calls_during(text: str) -> int:
    """Python and C calls that reading a report's claims makes."""
    counted = 0

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal counted
        counted += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        unsupported(text)
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.parametrize(
    "unit",
    ["Acme ", "Acme and ", "$9 ", "9-9 ", "9 to 9 million ", "May 9 ", "A.b", "a: ", "| A ", "Acme. ", "x\n", "(((", "\u201c",
     "A\u2019s ", "1,", "<a", "](", "- x\n", "**A**\n", "AcmeAcme", "-", "\n"],
)  # fmt: skip
def test_work_grows_with_the_text_and_not_faster(unit: str) -> None:
    """Twice the text takes at most about twice the calls: counted, so that a busy machine changes nothing."""
    once = calls_during(unit * (20_000 // len(unit)))
    twice = calls_during(unit * (40_000 // len(unit)))
    assert twice <= 2.3 * once + 1_000


def test_a_megabyte_is_read_up_to_a_bound() -> None:
    """Of a megabyte of sentences that all differ, a bounded number is read."""
    text = "\n".join(f"Sentence {number} tells of Acme in {number}." for number in range(30_000))
    assert len(text) > 1_000_000
    sentences = read_sentences(text, SPEC.sections)
    claims, total = unsupported_claims(sentences, SPEC)
    assert (len(sentences), len(claims), total) == (MAX_SENTENCES, MAX_CLAIMS, MAX_SENTENCES)
