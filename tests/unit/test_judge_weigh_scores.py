"""Scores weighed by a judge's own probabilities, for tokens as different models cut them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge.weigh_scores import WrittenToken, weigh_scores


def tokens(*pieces: str | tuple[str, dict[str, float]]) -> list[WrittenToken]:
    """Each piece alone, or with its alternatives."""
    return [WrittenToken(p, {p: 1.0}) if isinstance(p, str) else WrittenToken(*p) for p in pieces]


def test_mean_by_probability() -> None:
    """The score is the mean over the scores that might have stood there, whatever else was likely."""
    answer = tokens('{"', "a", '":', (" 8", {" 8": 0.6, " 7": 0.2, "9": 0.1, " none": 0.1}), "}")
    assert weigh_scores(answer, {"a": 8}) == {"a": pytest.approx((8 * 0.6 + 7 * 0.2 + 9 * 0.1) / 0.9)}


@pytest.mark.parametrize(
    ("ending", "written", "mean"),
    [
        ([("10", {"10": 0.5, "1": 0.25, "9": 0.25}), "}"], 10, 7.5),
        ([("1", {"1": 0.5, "8": 0.5}), ("0", {"0": 0.5, "}": 0.5})], 10, (0.25 * 10 + 0.25 * 1 + 0.5 * 8)),
        ([("1", {"1": 0.5, "2": 0.5}), ("}", {"0": 0.0, "}": 1.0})], 1, 1.5),
        ([("8", {"8": 0.5, "1": 0.5}), "}"], 8, 9.0),
        ([("2", {"2": 0.5, "1": 0.5}), "}"], 2, 1.5),
    ],
    ids=["a token of its own", "digit by digit", "a one", "a ten not written", "a one not written"],
)
def test_ten_and_one_share_a_digit(ending: list[object], written: int, mean: float) -> None:
    """A "1" is told from the beginning of a 10 by what follows; where it was not written, it is the nearer one."""
    answer = tokens('{"a": ', *ending)  # type: ignore[arg-type]
    assert weigh_scores(answer, {"a": written}) == {"a": pytest.approx(mean)}


@pytest.mark.parametrize(
    "answer",
    [
        tokens(),
        tokens('{"a": ', ("8", {"8": 0.2, "none": 0.8}), "}"),
        tokens('{"a": ', ("8", {}), "}"),
        tokens('{"b": ', "8", "}"),
        tokens('{"a": {"score": ', "8", "}}"),
    ],
    ids=["nothing told", "held to a number", "no alternatives", "another key", "another form"],
)
def test_too_little_told(answer: list[WrittenToken]) -> None:
    """Where the server tells too little of a score none is weighed, so that one verdict has one kind of score."""
    assert weigh_scores(answer, {"a": 8}) is None


def test_last_of_two_scores_counts() -> None:
    """A judge that thinks aloud first is weighed where it wrote the score that counts."""
    aloud = tokens('{"a": ', ("8", {"8": 1.0}), '} no: {"a": ', ("8", {"8": 0.5, "6": 0.5}), "}")
    assert weigh_scores(aloud, {"a": 8}) == {"a": 7}


_ALTERNATIVES = st.dictionaries(st.sampled_from(["1", "10", "7", " 3", "0", "99", "x", ""]), st.floats(0, 1))


@given(st.integers(1, 10), _ALTERNATIVES, _ALTERNATIVES)
def test_nothing_a_server_tells_leads_off_the_scale(
    score: int, here: dict[str, float], after: dict[str, float]
) -> None:
    """Whatever might have stood at the score and after it, a weighed score lies on the scale."""
    digits = str(score)
    written = [(digits[0], here | {digits[0]: 0.6}), *((digit, after) for digit in digits[1:]), ("}", after)]
    weighed = weigh_scores(tokens('{"a": ', *written), {"a": score})
    assert weighed is not None
    assert 1 - 1e-9 <= weighed["a"] <= 10 + 1e-9
