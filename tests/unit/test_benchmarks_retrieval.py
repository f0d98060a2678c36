"""The retrieval benchmark: its questions really are answered where they say, and how ranks become figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.retrieval import BOTH, DENSE, WORDS, _detail, _found_goal
from benchmarks.retrieval_quality import Question, intervals, quality_figures, rank_of, read_questions
from shared.documents.passage import Passage

EXAMPLE = Path(__file__).resolve().parents[2] / "shared" / "documents" / "example"
QUESTIONS = read_questions()
ALL = [*QUESTIONS.tuned, *QUESTIONS.held_out]


def asking(says: str = "owl", asked: str = "meaning", page: int | None = None) -> Question:
    given = {"question": "Who?", "asked": asked, "file": "birds.md", "page": page, "says": says}
    return Question.model_validate(given)


def places_of(says: str, file: str) -> list[int]:
    """Pages, from 1, of a shipped document that hold these words; the document must be there."""
    source = next(path for path in (EXAMPLE / file, EXAMPLE / f"{file}.txt") if path.is_file())
    pages = source.read_text(encoding="utf-8").split("\f")
    return [number for number, text in enumerate(pages, 1) if says in " ".join(text.split())]


@pytest.mark.parametrize("asked", ALL, ids=lambda asked: asked.question)
def test_the_answer_stands_where_the_question_says(asked: Question) -> None:
    """The words that answer it are in its file, in a PDF on its page and on no other."""
    assert (asked.page is not None) == asked.file.endswith(".pdf")
    assert places_of(asked.says, asked.file) == [asked.page or 1]


def test_what_is_held_out_was_not_tuned_on() -> None:
    """No held-out question asks for words that a tuned one asks for, and none is asked twice."""
    tuned = {(asked.file, asked.says) for asked in QUESTIONS.tuned}
    assert not [asked for asked in QUESTIONS.held_out if (asked.file, asked.says) in tuned]
    assert len({asked.question.lower() for asked in ALL}) == len(ALL)


def test_every_document_is_held_out() -> None:
    """Held-out questions are on all shipped documents, six of each kind."""
    shipped = {
        path.name.replace(".pdf.txt", ".pdf").replace(".docx.txt", ".docx") for path in EXAMPLE.iterdir()
    }
    assert {asked.file for asked in QUESTIONS.held_out} == shipped
    kinds = [asked.asked for asked in QUESTIONS.held_out]
    assert {kind: kinds.count(kind) for kind in kinds} == dict.fromkeys(kinds, 6)


def test_only_the_right_passage_answers() -> None:
    """Another file, another page or other words do not count; a line's end within the words does not matter."""
    asked = asking("the grey owl", page=2)
    wrong = [
        Passage("the grey owl", "fish.md", 2),
        Passage("the grey owl", "birds.md", 1),
        Passage("an owl", "birds.md", 2),
    ]
    assert rank_of(asked, wrong) is None
    assert rank_of(asked, [*wrong, Passage("Here the\ngrey  owl sits.", "birds.md", 2)]) == 4


def test_figures_of_known_ranks() -> None:
    """Ranks 1, 2, 4 and none: hit@k .25, .5, .75 and MRR .4375; each kind has its MRR alone and its number."""
    questions = [asking(asked=kind) for kind in ("words", "words", "meaning", "meaning")]
    figures = quality_figures("tuned", questions, {BOTH: [1, 2, 4, None], DENSE: [1, 1, 1, 1]}, BOTH)
    found = {figure.name: (figure.of[BOTH].median, figure.of[DENSE].median) for figure in figures}
    assert found == {
        "hit@1, tuned": (0.25, 1),
        "hit@3, tuned": (0.5, 1),
        "hit@5, tuned": (0.75, 1),
        "MRR, tuned": (0.4375, 1),
        "MRR, tuned, words (2)": (0.75, 1),
        "MRR, tuned, meaning (2)": (0.125, 1),
    }


def test_intervals_are_over_questions() -> None:
    """Hits by Wilson; the MRR's holds its mean, that of a constant advantage is none, of few questions too."""
    ranks = {BOTH: [1] * 20 + [2] * 20, DENSE: [2] * 20 + [None] * 20, WORDS: [1] * 39 + [None]}
    found = intervals(ranks, BOTH)
    assert found[BOTH]["hit@1"] == pytest.approx((0.3520, 0.6480), abs=1e-4)
    alone, apart = found[BOTH]["MRR"], found[f"{BOTH} - {WORDS}"]["MRR"]
    assert alone
    assert apart
    assert alone[0] < 0.75 < alone[1]
    assert apart[0] < -0.225 < apart[1] < 0
    assert found[f"{BOTH} - {DENSE}"]["MRR"] is None
    assert intervals({BOTH: [1, 2, 3]}, BOTH)[BOTH]["MRR"] is None


def test_worse_than_one_of_its_parts_is_said() -> None:
    """The goal is judged by the held-out ranks, and not met when one part alone is better."""
    goal = _found_goal({BOTH: [1, 2], DENSE: [1, 1], WORDS: [None, None]})
    assert (goal.met, goal.found) == (False, "0.75 and 1.00")
    assert _found_goal({BOTH: [1, 1], DENSE: [1, 1], WORDS: [1, 2]}).met is True


def test_details_name_what_was_not_first() -> None:
    """With the rank at which it was found, or none."""
    detail = _detail([asking()], {BOTH: [1], DENSE: [3], WORDS: [None]})
    assert detail["not_first"] == {BOTH: {}, DENSE: {"Who?": 3}, WORDS: {"Who?": None}}
    assert detail["questions"] == 1
