"""Preferences of people, and judges' comparisons beside them."""

from __future__ import annotations

import pytest
from scipy import stats

from analysis.preferred import agree_on_pairs, count_preferences

SUBJECTS = {"a1": ["a"], "a2": ["a"], "b1": ["b"], "c1": ["c"], "ab": ["a", "b"]}


def test_shares() -> None:
    """Wins count one and ties one half, on whichever side a report was shown."""
    found = count_preferences(
        [("a1", "b1", "first"), ("b1", "a2", "second"), ("a1", "c1", "tie"), ("c1", "b1", "second")], SUBJECTS
    )
    assert {name: (p.pairs, p.wins, p.ties, p.share) for name, p in found.items()} == {
        "a": (3, 2, 1, pytest.approx(2.5 / 3)),
        "b": (3, 1, 0, pytest.approx(1 / 3)),
        "c": (2, 0, 1, 0.25),
    }


def test_a_frameworks_own_reports_are_no_contest() -> None:
    """A pair of one framework, or with a text that both wrote, decides nothing between frameworks."""
    assert count_preferences([("a1", "a2", "first"), ("ab", "b1", "first")], SUBJECTS) == {}


def test_agreement_on_the_same_pairs() -> None:
    """Orders and repeats are averaged; ties are no choice; the interval is Wilson's."""
    judge = [
        ("a1", "b1", "first"), ("b1", "a1", "second"),  # a1, in both orders
        ("a2", "b1", "first"), ("b1", "a2", "first"),  # always the first: no opinion
        ("a1", "c1", "second"), ("c1", "b1", "first"),
    ]  # fmt: skip
    people = [("b1", "a1", "second"), ("a2", "b1", "first"), ("a1", "c1", "first"), ("c1", "a2", "first")]
    found = agree_on_pairs(judge, people)
    assert (found.pairs, found.decided, found.agree) == (3, 2, 1)
    wilson = stats.binomtest(1, 2).proportion_ci(method="wilson")
    assert (found.share.low, found.share.high) == (wilson.low, wilson.high)


def test_no_pair_in_common() -> None:
    """Without common pairs there is no share, and a reason."""
    found = agree_on_pairs([("a1", "b1", "first")], [("a1", "c1", "first")])
    assert (found.pairs, found.share.value) == (0, None)
    assert found.share.reason == "no pair that both decided"
