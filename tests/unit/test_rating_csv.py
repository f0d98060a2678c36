"""Ratings as CSV: out, in again, and every way in which a file can be wrong."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge.rating.csv_cells import csv_rows, csv_text, shielded, unshielded
from judge.rating.csv_table import MAX_SHOWN
from judge.rating.merge_answers import merge_answers
from judge.rating.posted import clean_comment
from judge.rating.rater_name import BadName, clean_name
from judge.rating.read_csv import ReadRatings, read_ratings
from judge.rating.write_csv import ratings_csv, sheet_csv
from shared.errors import RatingsError
from shared.judgements import Rating
from tests.unit.rating_reports import AT, CRITERIA, FULL, blind_report, blind_reports

REPORTS = blind_reports(3)
HEADER = "rater,report,rubric,showing,completeness,accuracy,structure,comment,seconds,rated_at"
GOOD = f"Ann,{REPORTS[0].id},t/1,1,7,8,9,fine,12.5,{AT}"

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def read(text: str | bytes) -> ReadRatings:
    content = text if isinstance(text, bytes) else text.encode()
    return read_ratings(content, REPORTS, [], "2026-11-25T00:00:00+00:00")


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(RatingsError) as error:
        read(text)
    return [line.strip() for line in str(error.value).splitlines()[1:]]


def rating(number: int = 0, **changed: Any) -> Rating:
    values: dict[str, Any] = {
        "rater": "Ann",
        "rubric": "t/1",
        "run_id": REPORTS[0].run_id,
        "attempt_id": f"a{number}",
        "scores": FULL,
        "seconds": 12.5,
        "rated_at": AT,
        "comment": "fine",
    }
    return Rating(**values | changed)


def is_name(text: str) -> bool:
    try:
        return clean_name(text) == text
    except BadName:
        return False


@given(
    st.text(min_size=1, max_size=30).filter(is_name),
    st.text(max_size=80).map(clean_comment),
    st.lists(st.integers(1, 10), min_size=3, max_size=3),
    st.none() | st.floats(0, 100_000),
    st.sampled_from([1, 2]),
)
def test_ratings_come_back_as_they_went_out(
    rater: str, comment: str, scores: list[int], seconds: float | None, showing: int
) -> None:
    """Whatever a rater is called and writes, export and import give the same rating."""
    out = rating(
        rater=rater,
        comment=comment,
        seconds=seconds,
        showing=showing,
        scores=dict(zip(CRITERIA, scores, strict=True)),
    )
    assert read(ratings_csv([out], REPORTS)).ratings == [out]


@given(st.sampled_from([*FORMULA_STARTS, "'", ""]), st.text(max_size=20))
def test_no_cell_is_a_formula(start: str, rest: str) -> None:
    """No written cell begins as a formula does, and reading takes back what writing put before it."""
    text = start + rest
    assert not shielded(text).startswith(FORMULA_STARTS)
    assert unshielded(shielded(text)) == text


def test_formulas_in_comments_names_and_reports_are_text() -> None:
    """In the file they begin with an apostrophe."""
    evil = '=HYPERLINK("http://evil.example";"click")'
    text = ratings_csv([rating(comment=evil, rater="+Ann")], REPORTS)
    assert "'+Ann," in text
    assert "\"'=HYPERLINK(" in text
    sheet = sheet_csv(["Ann"], [], (blind_report(0, text=evil),))
    assert "\"'=HYPERLINK(" in sheet


def test_a_sheet_is_blind_and_comes_back() -> None:
    """A row for each report with its text and facts, in the rater's order, no framework and no repeat; filled
    in by a spreadsheet, it is read, and rows left blank are counted.
    """
    reports = blind_reports(12)
    sheet = sheet_csv(["Ann"], [rating(3)], reports)
    assert "crewai" not in sheet
    rows = list(csv.DictReader(io.StringIO(sheet, newline="")))
    assert len(rows) == 12
    assert {row["showing"] for row in rows} == {"1"}
    assert [row["report"] for row in rows] != [report.id for report in reports]
    given = next(row for row in rows if row["report"] == reports[3].id)
    assert (given["accuracy"], given["comment"]) == ("7", "fine")
    blank = next(row for row in rows if row["report"] == reports[5].id)
    assert "Report 5" in blank["text"]
    assert "founded in 2010" in blank["facts"]
    blank |= {"completeness": "10", "accuracy": "1", "structure": "5"}
    saved = io.StringIO()
    writer = csv.DictWriter(saved, rows[0], delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    found = read_ratings(f"\ufeff{saved.getvalue()}".encode(), reports, [], AT)
    assert found.blank_rows == 10
    mine = next(rating for rating in found.ratings if rating.attempt_id == "a5")
    assert mine.scores == {"completeness": 10, "accuracy": 1, "structure": 5}
    assert (mine.rater, mine.rated_at, mine.seconds) == ("Ann", AT, None)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (GOOD.replace(REPORTS[0].id, "t.x.unknown"), "row 2: no report 't.x.unknown' is in this experiment"),
        (GOOD.replace(",8,", ",11,"), "row 2: accuracy: '11' is not a whole number from 1 to 10"),
        (GOOD.replace(",8,", ",0,"), "row 2: accuracy: '0' is not a whole number from 1 to 10"),
        (GOOD.replace(",8,", ",7.5,"), "row 2: accuracy: '7.5' is not a whole number from 1 to 10"),
        (GOOD.replace(",8,", ",-3,"), "row 2: accuracy: '-3' is not a whole number from 1 to 10"),
        (GOOD.replace(",8,", ",²,"), "row 2: accuracy: '²' is not a whole number from 1 to 10"),
        (GOOD.replace(",8,", ",,"), "row 2: accuracy: no score"),
        (GOOD.replace("Ann", ""), "row 2: rater: A rater's name needs a letter or a digit."),
        (GOOD.replace("t/1,1", "t/1,3"), "row 2: showing: '3' is neither 1 nor 2"),
        (GOOD.replace("t/1", "t/9"), "row 2: rubric: rated by 't/9', and this experiment is judged by 't/1'"),
        (GOOD.replace("12.5", "long"), "row 2: seconds: 'long' is no number of seconds"),
        (GOOD.replace("12.5", "nan"), "row 2: seconds: 'nan' is no number of seconds"),
        (
            GOOD.replace(AT, "yesterday"),
            "row 2: rated_at: 'yesterday' is no time such as 2026-11-25T00:00:00+00:00",
        ),
        (GOOD.replace("fine", "x" * 2001), "row 2: comment: 2,001 characters, and 2,000 are the most"),
        (f"{GOOD},more", "row 2: 11 cells in 10 columns"),
        (f"{GOOD}\n{GOOD.replace('Ann', 'ann')}", "row 3: the same rater, report and showing as row 2"),
        (f'{GOOD}\n"Ann', "row 3: not a row of a CSV file (unexpected end of data)"),
    ],
)
def test_a_wrong_row_is_named(row: str, problem: str) -> None:
    """With its number as a spreadsheet shows it, the value and what it should be."""
    assert problems(f"{HEADER}\n{row}\n") == [problem]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (HEADER.encode("utf-16"), 'the file is UTF-16: save it as "CSV UTF-8"'),
        (
            f"{HEADER}\n{GOOD}\nJos\u00e9".encode("latin-1"),
            'line 3: byte 0xe9 is not UTF-8: save it as "CSV UTF-8"',
        ),
        (HEADER.replace("accuracy,", "").encode(), 'row 1: the column "accuracy" is missing'),
        (HEADER.replace("seconds", "rater").encode(), 'row 1: the column "rater" is there more than once'),
    ],
)
def test_a_wrong_file_is_named(content: bytes, problem: str) -> None:
    """Empty, in another encoding, or with other columns."""
    assert problems(content) == [problem]


def test_a_misspelt_column_is_answered_with_the_right_one() -> None:
    """The missing and the unknown column are both told."""
    missing, unknown = problems(HEADER.replace("accuracy", "acuracy") + "\n" + GOOD)
    assert missing == 'row 1: the column "accuracy" is missing'
    assert 'Unknown column "acuracy". Did you mean "accuracy"?' in unknown


def test_all_problems_at_once_up_to_a_limit() -> None:
    """Every wrong row is told in one message, and of many the number."""
    bad = "\n".join(f"Ann,r{number},t/1,1,7,8,9,,," for number in range(50))
    told = problems(f"{HEADER}\n{bad}")
    assert len(told) == MAX_SHOWN + 1
    assert told[-1] == "and 30 more"
    both = problems(f"{HEADER}\n{GOOD.replace(',7,8,', ',77,88,')}")
    assert [words.split(":")[1].strip() for words in both] == ["completeness", "accuracy"]


def test_what_spreadsheets_make_of_a_file() -> None:
    """A byte order mark, semicolons, tabs, blank rows, capitals in the header and a decimal comma are fine."""
    for text in (
        f"\ufeff{HEADER}\r\n{GOOD}\r\n",
        f"{HEADER}\n{GOOD}\n".replace(",", ";").replace("12.5", "12,5"),
        f"{HEADER}\n{GOOD}\n".replace(",", "\t"),
        f"{HEADER.title()}\n\n{GOOD}\n,,,,,,,,,\n",
    ):
        found = read(text)
        assert [(r.rater, r.seconds, r.scores["accuracy"]) for r in found.ratings] == [("Ann", 12.5, 8)]


def test_only_what_is_needed() -> None:
    """Rater, report and scores are enough: the time is that of reading, the showing the first."""
    found = read(f"rater,report,completeness,accuracy,structure\nAnn,{REPORTS[1].id},1,2,3\n")
    (only,) = found.ratings
    assert (only.rated_at, only.showing, only.seconds, only.rubric) == (
        "2026-11-25T00:00:00+00:00",
        1,
        None,
        "t/1",
    )


def test_a_raters_earlier_spelling_holds() -> None:
    """ANN is Ann where Ann has rated before."""
    found = read_ratings(f"{HEADER}\n{GOOD.replace('Ann', 'ANN')}".encode(), REPORTS, ["Ann"], AT)
    assert found.ratings[0].rater == "Ann"


@given(st.binary(max_size=400))
def test_bytes_that_are_no_ratings(content: bytes) -> None:
    """Whatever the file holds, it is the user's mistake, told in a message, and no fault of ours."""
    with pytest.raises(RatingsError, match="Nothing was taken from the file"):
        read(content)


@given(st.lists(st.lists(st.text(max_size=12), min_size=3, max_size=3), max_size=5))
def test_rows_come_back_as_they_went_out(rows: list[list[str]]) -> None:
    """Quotes, line ends and delimiters inside cells survive."""
    rows = [["x", *row] for row in rows]
    back = [cells for _, cells in csv_rows(csv_text(["a", "b", "c", "d"], rows).encode("utf-8", "replace"))]
    assert back[1:] == [[cell.encode("utf-8", "replace").decode() for cell in row] for row in rows]


def test_the_later_rating_counts() -> None:
    """New ratings come in, later ones replace, the same change nothing, older ones stay out."""
    later, older = "2026-11-24T13:00:00+00:00", "2026-11-24T11:00:00+00:00"
    here = [rating(0), rating(1), rating(2)]
    other = FULL | {"accuracy": 1}
    coming = [
        rating(0, rated_at=later, scores=other),
        rating(1, rated_at=older, scores=other),
        rating(2, rated_at=later),
        rating(0, rater="Bob"),
    ]
    merged = merge_answers(coming, here, REPORTS)
    assert merged.to_write == [coming[3], coming[0]]
    assert (merged.same, merged.older) == (1, 1)
