"""The order in which raters see reports and pairs."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from judge.rating.showing_order import (
    FEWEST_TO_REPEAT,
    LEAST_GAP,
    REPEAT_SHARE,
    Showing,
    order_of_pairs,
    order_of_reports,
)

IDS = st.integers(0, 60).map(lambda count: [f"r{number}" for number in range(count)])
RATERS = st.text(min_size=1, max_size=12)


def firsts(order: list[Showing]) -> list[tuple[str, ...]]:
    return [shown.reports for shown in order if shown.showing == 1]


@given(IDS, RATERS)
def test_each_report_once_and_one_in_ten_again(ids: list[str], rater: str) -> None:
    """Every report is shown once, a tenth of them (rounded up) a second time, at least three places later."""
    order = order_of_reports(ids, rater)
    assert sorted(firsts(order)) == [(report,) for report in sorted(ids)]
    again = [shown for shown in order if shown.showing == 2]
    assert len(again) == (math.ceil(len(ids) * REPEAT_SHARE) if len(ids) >= FEWEST_TO_REPEAT else 0)
    assert len(set(again)) == len(again)
    for shown in again:
        assert order.index(shown) - order.index(Showing(shown.reports, 1)) >= LEAST_GAP


@given(IDS, RATERS)
def test_the_order_is_the_raters_own(ids: list[str], rater: str) -> None:
    """The same name gets the same order, however its letters are cased and the reports are handed over."""
    assert order_of_reports(reversed(ids), rater) == order_of_reports(ids, rater)
    assert order_of_reports(ids, "ANN") == order_of_reports(ids, "ann")


def test_raters_have_different_orders() -> None:
    """Over twenty raters, first places are spread over the reports, and no two orders are equal."""
    ids = [f"r{number}" for number in range(12)]
    orders = [order_of_reports(ids, f"rater {number}") for number in range(20)]
    assert len({tuple(order) for order in orders}) == 20
    assert len({order[0] for order in orders}) >= 6


def test_a_new_report_takes_its_place_between_the_others() -> None:
    """The order of what was there stays when a report comes in."""
    ids = [f"r{number}" for number in range(9)]
    before, after = firsts(order_of_reports(ids, "Ann")), firsts(order_of_reports([*ids, "new"], "Ann"))
    assert [reports for reports in after if reports != ("new",)] == before


@given(st.integers(0, 14), st.integers(0, 5), RATERS)
def test_pairs_are_all_there_once(some: int, others: int, rater: str) -> None:
    """Each two reports on one item make one pair, and none crosses items."""
    by_item = {"x": [f"x{n}" for n in range(some)], "y": [f"y{n}" for n in range(others)]}
    wanted = {frozenset(pair) for ids in by_item.values() for pair in combinations(ids, 2)}
    shown = firsts(order_of_pairs(by_item, rater))
    assert len(shown) == len(wanted)
    assert {frozenset(pair) for pair in shown} == wanted


@given(st.integers(4, 14), RATERS)
def test_stopping_early_leaves_reports_compared_equally_often(count: int, rater: str) -> None:
    """After any number of pairs, no report was in over two more of them than another."""
    shown = firsts(order_of_pairs({"x": [f"x{n}" for n in range(count)]}, rater))
    seen = Counter(dict.fromkeys((f"x{n}" for n in range(count)), 0))
    for pair in shown:
        seen.update(pair)
        assert max(seen.values()) - min(seen.values()) <= 2


def test_a_pair_comes_back_with_its_sides_changed() -> None:
    """The repeat of a pair shows whether the side decides."""
    order = order_of_pairs({"x": [f"x{n}" for n in range(8)]}, "Ann")
    again = [shown for shown in order if shown.showing == 2]
    assert len(again) == math.ceil(28 * REPEAT_SHARE)
    for shown in again:
        assert Showing(shown.reports[::-1], 1) in order


def test_sides_are_drawn() -> None:
    """Over many raters a report stands about as often on the left as on the right."""
    left = sum(firsts(order_of_pairs({"x": ["a", "b"]}, f"rater {n}"))[0][0] == "a" for n in range(400))
    assert 150 < left < 250
