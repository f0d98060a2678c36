"""Comparisons by people as CSV: out, in again, and what is wrong with a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge.rating.merge_answers import merge_answers
from judge.rating.pairs_csv import WINNERS, preferences_csv, read_preferences
from shared.errors import RatingsError
from shared.judgements import Preference, Winner
from tests.unit.rating_reports import AT, blind_report, blind_reports

REPORTS = (*blind_reports(3), blind_report(7, item="y"))
A, B, C, ELSEWHERE = (report.id for report in REPORTS)
HEADER = "rater,first,second,showing,winner,seconds,rated_at"
GOOD = f"Ann,{A},{B},1,first,12.5,{AT}"


def preference(winner: Winner = "first", *, rater: str = "Ann", second: int = 1, at: str = AT) -> Preference:
    return Preference(
        rater=rater,
        task="t",
        item="x",
        first_attempt_id="a0",
        second_attempt_id=f"a{second}",
        winner=winner,
        seconds=12.5,
        rated_at=at,
    )


@given(st.sampled_from(WINNERS), st.sampled_from([1, 2]), st.none() | st.floats(0, 100_000))
def test_preferences_come_back_as_they_went_out(winner: Winner, showing: int, seconds: float | None) -> None:
    """Export and import give the same preference, without naming a framework."""
    out = preference(winner).model_copy(update={"showing": showing, "seconds": seconds})
    text = preferences_csv([out], REPORTS)
    assert "crewai" not in text
    assert read_preferences(text.encode(), REPORTS, [], AT) == [out]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (GOOD.replace(A, "t.x.unknown"), "row 2: first: no report 't.x.unknown' is in this experiment"),
        (GOOD.replace(",first,", ",best,"), "row 2: winner: 'best' is none of first, second, tie"),
        (GOOD.replace(B, A), "row 2: first and second must be two reports on the same item"),
        (GOOD.replace(B, ELSEWHERE), "row 2: first and second must be two reports on the same item"),
        (GOOD.replace("12.5", "-1"), "row 2: seconds: '-1' is no number of seconds"),
        (f"{GOOD}\n{GOOD.replace('Ann', 'ANN')}", "row 3: the same rater, pair and showing as row 2"),
    ],
)
def test_a_wrong_row_is_named(row: str, problem: str) -> None:
    """With its number, the column and what it should be; nothing is taken from the file."""
    with pytest.raises(RatingsError, match="Nothing was taken") as error:
        read_preferences(f"{HEADER}\n{row}\n".encode(), REPORTS, [], AT)
    assert [line.strip() for line in str(error.value).splitlines()[1:]] == [problem]


def test_a_pair_the_other_way_round_is_another_pair() -> None:
    """Both orders may be in one file, as they may be on the page."""
    both = f"{HEADER}\n{GOOD}\nAnn,{B},{A},1,second,,\n"
    assert len(read_preferences(both.encode(), REPORTS, [], AT)) == 2


def test_the_later_preference_counts() -> None:
    """New ones come in, later ones replace, the same change nothing, older ones stay out."""
    later, older = "2026-11-24T13:00:00+00:00", "2026-11-24T11:00:00+00:00"
    here = [preference(), preference(second=2), preference(rater="Bob")]
    coming = [
        preference("tie", at=later),
        preference("tie", second=2, at=older),
        preference(rater="Bob", at=later),
        preference(rater="Cleo"),
    ]
    merged = merge_answers(coming, here, REPORTS)
    assert merged.to_write == [coming[3], coming[0]]
    assert (merged.same, merged.older) == (1, 1)
