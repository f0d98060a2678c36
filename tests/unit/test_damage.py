"""Planted defects: each copy differs in what its defect says and in nothing else, whatever the report."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge.checks import count_words
from judge.damage import CannotPlant, damage
from judge.damage_words import FILLERS, NOTHING_CONCLUDED, ORDERS, PRAISE
from judge.judge_prompt import MAX_REPORT_CHARS
from judge.passage import read_passage
from judge.report_parts import read_parts
from shared.defects import ALL, DEFECTS

FACTS = (
    "- Acme was founded in 2010 by the sisters Ada and Eve Smith.\n"
    "- Acme Pay accepts more than 135 currencies in 40 countries.\n"
    "- Total volume of Acme was $1.4 trillion in 2024, up 38% on the year before."
)
REPORT = """## Executive Summary

Acme, founded in 2010 by Ada and Eve Smith, moves money for shops. Its total volume was $1.4 trillion in 2024.

## Products

Acme Pay accepts more than 135 currencies. Terminals, invoices and fraud checks come on top of that.

- Pay: for shops on the web
- Till: for shops on the street

## Market

Rivals such as Bolt and Coin grow faster abroad, where local licences decide who may hold deposits.

## Key Insights

Volume grew by 38%, yet margins depend on card schemes, so own rails would matter more than new features.

## Conclusion

The company leads at home; whether it can lead elsewhere hangs on licences that it does not have yet.
"""


def planted(defect: str, seed: int = 1, text: str = REPORT) -> str:
    return damage(text, defect, evidence=FACTS, seed=seed)


odd_texts = st.one_of(
    st.text(max_size=400),
    st.lists(
        st.sampled_from(
            [
                "# T", "## Insights", "**Bold**", "", "```", "~~~", "- a b c d e f", "| a | b |", "\r", "a\rb",
                "Acme Pay accepts more than 135 currencies in 40 countries.", "<b>x</b>" * 9, "1.", "\u2028x",
                "Total volume of Acme was $1.4 trillion in 2024.", "{" * 30, "one two three four five six",
                *ORDERS,
            ]
        ),
        max_size=25,
    ).map("\n".join),
)  # fmt: skip


@given(odd_texts, st.sampled_from(sorted(DEFECTS)), st.integers(0, 50))
@settings(max_examples=300, deadline=None)
def test_any_text_is_damaged_or_refused_with_a_reason(text: str, defect: str, seed: int) -> None:
    """No text makes it fail otherwise; a copy is never the report, and the same seed gives the same copy."""
    try:
        copy = planted(defect, seed, text)
    except CannotPlant as reason:
        assert str(reason)  # noqa: PT017 - most texts are damaged, and which are refused is not the point
        return
    assert copy != text
    assert len(copy) <= MAX_REPORT_CHARS
    assert planted(defect, seed, text) == copy


@given(st.integers(0, 300), st.sampled_from(sorted(DEFECTS)))
@settings(max_examples=200, deadline=None)
def test_every_defect_has_a_place_in_an_ordinary_report(seed: int, defect: str) -> None:
    """With any seed."""
    assert planted(defect, seed) != REPORT


@pytest.mark.parametrize("text", ["", " \n\n ", "x" * 1_000_000, "word " * 200_000, "#" * 5000])
@pytest.mark.parametrize("defect", ["section_removed", "figure_altered", "paragraphs_swapped", "padding"])
def test_what_has_no_place_for_it_is_refused_at_once(text: str, defect: str) -> None:
    """Empty, without paragraphs, or a megabyte, of which a judge would not be shown the defect."""
    with pytest.raises(CannotPlant):
        planted(defect, text=text)


@given(odd_texts)
def test_the_parts_of_a_text_give_it_back(text: str) -> None:
    """Lines join to the text, and every part lies within them and in order."""
    parts = read_parts(text)
    assert "\n".join(parts.lines) == text
    for part in [*parts.sections, *parts.paragraphs]:
        assert 0 <= part.start < part.end <= len(parts.lines)
    assert [p.start for p in parts.paragraphs] == sorted(p.start for p in parts.paragraphs)


@given(st.integers(0, 200))
def test_a_section_goes_with_its_heading_and_nothing_else(seed: int) -> None:
    """Putting the lines back in one place gives the report."""
    copy = planted("section_removed", seed).split("\n")
    lines = REPORT.split("\n")
    place = next(n for n, line in enumerate(lines) if n >= len(copy) or copy[n] != line)
    gone = len(lines) - len(copy)
    starts = [
        n for n in range(place + 1) if lines[n].startswith("## ") and lines[:n] + lines[n + gone :] == copy
    ]
    assert starts
    assert sum(line.startswith("## ") for line in lines[starts[0] : starts[0] + gone]) == 1


@given(st.integers(0, 200))
def test_a_cut_report_is_its_own_beginning(seed: int) -> None:
    """Between 45 and 67 % of it, and it does not end with a sentence."""
    copy = planted("end_cut", seed)
    assert REPORT.startswith(copy)
    assert 0.4 * len(REPORT) < len(copy) <= 0.67 * len(REPORT)
    assert copy[-1] not in ".!?\n"


@given(st.integers(0, 200))
def test_an_altered_figure_contradicts_the_facts(seed: int) -> None:
    """One known figure is gone from the report, and the one in its place is in no fact."""
    copy = planted("figure_altered", seed)
    before, after = read_passage(REPORT).amounts, read_passage(copy).amounts
    changed = [(old, new) for old, new in zip(before, after, strict=True) if not old.is_same_as(new)]
    known = read_passage(FACTS).amounts
    assert changed
    assert all(any(old.is_same_as(fact) for fact in known) for old, _ in changed)
    assert not any(new.is_same_as(fact) for _, new in changed for fact in known)
    assert len({old.value for old, _ in changed}) == 1


def test_a_figure_about_something_else_is_left_alone() -> None:
    """That a number occurs in the facts does not make a sentence one about them."""
    text = "Our office has 135 chairs.\n\n" + "Nothing else is known here about anything. " * 3
    with pytest.raises(CannotPlant, match="no figure"):
        planted("figure_altered", text=text)


@given(st.integers(0, 200))
def test_an_invention_is_one_sentence_with_new_figures(seed: int) -> None:
    """Without it the copy is the report, and none of its figures is known."""
    copy = planted("invention", seed)
    added = next(
        copy[start : start + len(copy) - len(REPORT)]
        for start in range(len(REPORT) + 1)
        if copy[:start] + copy[start + len(copy) - len(REPORT) :] == REPORT
    )
    figures = read_passage(added).amounts
    known = read_passage(f"{FACTS}\n{REPORT}").amounts
    assert len(figures) >= 3
    assert not any(figure.is_same_as(other) for figure in figures for other in known)


@given(st.integers(0, 200))
def test_swapping_moves_two_paragraphs_under_other_headings(seed: int) -> None:
    """The headings stand as they stood, and the paragraphs are the same ones in another order."""
    before, after = read_parts(REPORT), read_parts(planted("paragraphs_swapped", seed))
    assert [s.heading for s in before.sections] == [s.heading for s in after.sections]
    texts = [[parts.text_of(p) for p in parts.paragraphs] for parts in (before, after)]
    assert sorted(texts[0]) == sorted(texts[1])
    assert sum(one != other for one, other in zip(*texts, strict=True)) == 2


@given(st.integers(0, 200))
def test_padding_adds_half_as_many_words_and_takes_none(seed: int) -> None:
    """Without the sentences that say nothing, the copy is the report."""
    copy = planted("padding", seed)
    assert 1.45 * count_words(REPORT) < count_words(copy) < 1.75 * count_words(REPORT)
    for filler in FILLERS:
        copy = copy.replace(f" {filler}", "")
    assert copy == REPORT


def test_conclusions_are_emptied_and_the_rest_is_kept() -> None:
    """Only the bodies of sections of insights and conclusions are replaced."""
    copy = planted("conclusions_emptied")
    kept, _, _ = REPORT.partition("## Key Insights")
    assert copy.startswith(kept)
    assert copy.count(NOTHING_CONCLUDED) == 2
    assert "own rails" not in copy
    assert "## Conclusion" in copy


@pytest.mark.parametrize(("defect", "notes"), [("flattery", PRAISE), ("instructions", ORDERS)])
@pytest.mark.parametrize("seed", range(6))
def test_praise_and_orders_stand_before_or_after_the_whole_report(
    defect: str, notes: tuple[str, ...], seed: int
) -> None:
    """The report itself is untouched."""
    copy = planted(defect, seed)
    assert copy in {f"{note}\n\n{REPORT}" for note in notes} | {f"{REPORT}\n\n{note}" for note in notes}


def test_line_ends_of_windows_stay() -> None:
    """What is appended to a line stands before its carriage return."""
    copy = planted("padding", text=REPORT.replace("\n", "\r\n"))
    assert copy.count("\r\n") == copy.count("\n")
    assert all(not line.rstrip("\r").endswith("\r") for line in copy.split("\n"))


def test_every_defect_names_criteria_that_exist() -> None:
    """What it lowers is never among what it leaves, and every criterion has a defect that lowers it."""
    for name, defect in DEFECTS.items():
        assert name == defect.name
        assert set(defect.leaves) <= set(ALL)
        assert defect.lowers not in defect.leaves
    assert {defect.lowers for defect in DEFECTS.values()} >= set(ALL)
