"""Reading a judge's answer: what is used, what is refused, and that nothing makes it fail otherwise."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge.json_answers import UnusableAnswer
from judge.parse_verdict import MAX_REASONING_CHARS, parse_verdict
from judge.parse_winner import parse_winner

CRITERIA = ["completeness", "accuracy", "structure", "insight", "readability"]
SCORES = {"completeness": 7, "accuracy": 3, "structure": 10, "insight": 1, "readability": 5}
GOOD = {"reasoning": "Clear but thin.", **SCORES, "overall": 6}


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps(GOOD),
        f"```json\n{json.dumps(GOOD, indent=2)}\n```",
        f"Here is my verdict: {json.dumps(GOOD)} I hope that it helps {{.",
        f'<think>{{"accuracy": 2}} or so</think>\n{json.dumps(GOOD)}',
        json.dumps({**GOOD, "accuracy": 3.0, "comment": "more"}),
        f'{{"reasoning": "an example", "n": [{json.dumps({"a": 1})}]}} {json.dumps(GOOD)}',
        json.dumps({**GOOD, "accuracy": "3", "insight": "1/10", "structure": "10 out of 10"}),
        json.dumps({name.title(): value for name, value in GOOD.items()}),
        json.dumps({"reasoning": "x", "scores": SCORES, "overall": 6}),
        json.dumps({"verdict": GOOD}),
        json.dumps({**GOOD, **{name: {"score": score, "why": "so"} for name, score in SCORES.items()}}),
        json.dumps({**GOOD, "example": {**GOOD, "accuracy": 9}}),
        json.dumps(GOOD)[:-1] + ', "accuracy": 3}',
    ],
    ids=[
        *("plain", "fenced", "words around", "thinking", "whole floats", "other objects", "numbers as text"),
        *("capitals", "scores inside", "wrapped", "score objects", "an example inside", "said twice alike"),
    ],
)
def test_usable_answers(answer: str) -> None:
    """Scores are found in JSON, in fenced JSON and in JSON with words around it."""
    parsed = parse_verdict(answer, CRITERIA)
    assert (parsed.scores, parsed.overall) == (SCORES, 6)


def test_last_complete_object_counts() -> None:
    """A judge that thinks aloud in JSON is taken at its last complete word."""
    later = {**GOOD, "accuracy": 9}
    answer = f'{json.dumps(GOOD)} No: {json.dumps(later)} {{"accuracy": 1}}'
    assert parse_verdict(answer, CRITERIA).scores["accuracy"] == 9


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("", "no JSON object"),
        ("I cannot judge this.", "no JSON object"),
        (json.dumps(GOOD)[:-5], "no JSON object"),
        (json.dumps([1, 2]), "no JSON object"),
        (json.dumps({**GOOD, "accuracy": 11}), "accuracy is 11"),
        (json.dumps({**GOOD, "accuracy": 0}), "accuracy is 0"),
        (json.dumps({**GOOD, "accuracy": 7.5}), "not a whole number"),
        (json.dumps({**GOOD, "accuracy": True}), "accuracy is missing"),
        (json.dumps({**GOOD, "accuracy": "high"}), "accuracy is missing"),
        (json.dumps({**GOOD, "accuracy": "4/5"}), "accuracy is missing"),
        (json.dumps({**GOOD, "accuracy": "8 or 9"}), "accuracy is missing"),
        (json.dumps({**GOOD, "accuracy": "\uff18"}), "accuracy is missing"),
        (json.dumps({**GOOD, "accuracy": "11/10"}), "accuracy is 11"),
        (json.dumps({**GOOD, "accuracy": "7.5"}), "not a whole number"),
        (json.dumps({**GOOD, "accuracy": {"grade": 8}}), "accuracy is missing"),
        (json.dumps(GOOD)[:-1] + ', "accuracy": 9}', "accuracy is given twice"),
        (json.dumps({**GOOD, "scores": {"accuracy": 9}}), "accuracy is given twice"),
        (json.dumps({"precisión": 8, "estructura": 7, "general": 7}), "completeness is missing"),
        (json.dumps({**GOOD, "overall": None}), "overall is missing"),
        (json.dumps({**GOOD, "accuracy": float("nan")}), "accuracy is nan"),
        (json.dumps({**GOOD, "accuracy": 10**400}), "accuracy is 1000"),
        (json.dumps({k: v for k, v in GOOD.items() if k != "insight"}), "insight is missing"),
        ('{"reasoning": "' + "la " * 100_000, "no JSON object"),
        ("El informe es bueno: ocho de diez.", "no JSON object"),
    ],
)
def test_unusable_answers_say_why(answer: str, problem: str) -> None:
    """Refusals, cut-off or endless answers and scores out of range are unusable, each with its reason."""
    with pytest.raises(UnusableAnswer, match=problem):
        parse_verdict(answer, CRITERIA)


def test_reasoning_is_bounded() -> None:
    """A judge cannot fill the store with its reasoning."""
    assert (
        len(parse_verdict(json.dumps({**GOOD, "reasoning": "x" * 9_999}), CRITERIA).reasoning)
        == MAX_REASONING_CHARS
    )


@pytest.mark.parametrize("answer", ["{" * 1_000_000, '{"a":' * 200_000, "[" * 1_000_000, '{"' * 500_000])
@pytest.mark.timeout(60)  # reading it again from each bracket would take hours; a tenth of a second is usual
def test_hostile_answers_end(answer: str) -> None:
    """A megabyte of brackets is unusable, and found to be so however slow the machine."""
    with pytest.raises(UnusableAnswer):
        parse_verdict(answer, CRITERIA)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=5,
)
near_verdicts = st.dictionaries(st.sampled_from([*CRITERIA, "overall", "reasoning", "x"]), json_values).map(
    lambda value: json.dumps(GOOD | value)
)


@given(
    st.lists(
        st.one_of(st.text(), near_verdicts, st.sampled_from(["```json", "{", "}", '"'])), max_size=4
    ).map("".join)
)
def test_any_answer_is_scores_in_range_or_unusable(answer: str) -> None:
    """Whatever a judge answers, the result is whole scores from 1 to 10 or UnusableAnswer, nothing else."""
    try:
        parsed = parse_verdict(answer, CRITERIA)
    except UnusableAnswer:
        return
    assert list(parsed.scores) == CRITERIA
    assert all(type(score) is int and 1 <= score <= 10 for score in parsed.scores.values())
    assert 1 <= parsed.overall <= 10


@pytest.mark.parametrize(
    ("answer", "winner"),
    [
        ('{"reasoning": "r", "winner": "A"}', "first"),
        ('```json\n{"winner": "b"}\n```', "second"),
        ('{"Winner": "Report B"}', "second"),
        ('{"winner": "A"} No: {"winner": " TIE "}', "tie"),
    ],
)
def test_winners(answer: str, winner: str) -> None:
    """The last winner counts, in capitals or not."""
    assert parse_winner(answer).winner == winner


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("Report A is better.", "no JSON object"),
        ('{"winner": "C"}', 'winner is "C"'),
        ('{"winner": 1}', "winner is missing or no text"),
        ('{"winner": ["A", "B"]}', "winner is missing or no text"),
        ('{"better": "A"}', "winner is missing or no text"),
        ('{"winner": "A", "winner": "B"}', "winner is given twice"),
        ('{"winner": "A or B"}', 'winner is "A or B"'),
        ("", "no JSON object"),
    ],
)
def test_no_winner_says_why(answer: str, problem: str) -> None:
    """Prose, other names and contradictions are unusable, each with its reason."""
    with pytest.raises(UnusableAnswer, match=problem):
        parse_winner(answer)


near_winners = st.dictionaries(st.sampled_from(["winner", "reasoning", "Winner"]), json_values).map(
    json.dumps
)


@given(
    st.lists(
        st.one_of(st.text(), near_winners, st.sampled_from(['{"winner": "A"}', "{", "}", '"'])), max_size=4
    ).map("".join)
)
def test_any_answer_is_a_winner_or_unusable(answer: str) -> None:
    """Whatever a judge answers of two reports, the result is one of three or UnusableAnswer."""
    with suppress(UnusableAnswer):
        assert parse_winner(answer).winner in {"first", "second", "tie"}
