"""Reading a table of runs through Arrow gives what pandas gave, cell by cell, and falls back to it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import read_table
from analysis.read_table import LARGEST, Columns, Wanted, column_names, read_columns
from shared.errors import UserError

WANTED = Wanted(frozenset({"name"}), frozenset({"n"}), frozenset({"flag"}), frozenset({"text"}))
NUMBERS = [
    *(
        "1",
        " 2 ",
        "",
        "nan",
        "inf",
        "-Infinity",
        "1e3",
        "1E400",
        "abc",
        "+5",
        ".5",
        "5.",
        "0x10",
        "1_000",
        "1,5",
    ),
    *(
        "True",
        "-0",
        "00012",
        "1e",
        "--1",
        "9007199254740993",
        "123456789012345678901234567890",
        "٣",
        "1\u00a0",
    ),
]


def read(path: Path, content: str | bytes) -> Columns:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_columns(path, column_names(path), WANTED)


@pytest.mark.parametrize("together", [NUMBERS, *([number] for number in NUMBERS)])
def test_a_cell_is_the_number_that_pandas_reads(tmp_path: Path, together: list[str]) -> None:
    """Up to a bound; each alone, where Arrow may take the whole column, and all in one, where it may not."""
    rows = "".join(f'x,"{number}"\n' for number in together)
    found = read(tmp_path / "t.csv", f"name,n\n{rows}")
    stripped = pd.Series(together).str.strip()
    expected = pd.to_numeric(stripped, errors="coerce").astype(float)
    expected = expected.where(expected.abs() <= LARGEST)
    pd.testing.assert_series_equal(found.numbers["n"], expected, check_names=False)
    assert found.unreadable.get("n", 0) == ((stripped != "") & expected.isna()).sum()


def test_texts_keep_what_they_say(tmp_path: Path) -> None:
    """A name "nan" or "NULL", quotes, commas, line ends and other scripts; only the blanks around it go."""
    found = read(tmp_path / "t.csv", 'name,n\nnan,1\n"NULL",1\n" a, ""b""\nc ",1\nÄ 日本,1\n,1\n')
    assert found.texts["name"].tolist() == ["nan", "NULL", 'a, "b"\nc', "Ä 日本", ""]
    assert found.rows == 5


def test_flags_and_digests(tmp_path: Path) -> None:
    """Flags in any spelling; of a long text the digest as it stands, blanks included, and none of an empty one."""
    found = read(tmp_path / "t.csv", "flag,text\nTRUE, a \n0,\nfalse,b\nmaybe,c\n1,d\n")
    assert found.flags["flag"].fillna(-1).tolist() == [1, 0, 0, -1, 1]
    assert found.hashes["text"].tolist()[:2] == [hashlib.sha256(b" a ").hexdigest(), ""]


@pytest.mark.parametrize(
    ("content", "names", "n"),
    [
        (b"\xef\xbb\xbfname,n\nx,1\n", ["x"], [1]),
        ("name,n\r\nx,1\r\ny,2\r\n", ["x", "y"], [1, 2]),
        ("name,n\nx\ny,2\n", ["x", "y"], [None, 2]),
        ("name,name,n\nx,z,1\n", ["x"], [1]),
        ("n,other,name\n1,o,x", ["x"], [1]),
        ("name,n\n", [], []),
        ("other\n1\n", None, None),
    ],
    ids=["mark", "windows", "short row", "name twice", "other order", "no rows", "nothing of ours"],
)
def test_files_of_many_kinds(
    tmp_path: Path, content: str | bytes, names: list[str] | None, n: list[float | None] | None
) -> None:
    """What one program or another writes is read by Arrow or by pandas, with the same outcome."""
    found = read(tmp_path / "t.csv", content)
    assert (found.texts["name"].tolist() if "name" in found.texts else None) == names
    values = found.numbers.get("n")
    assert (None if values is None else [None if np.isnan(v) else v for v in values]) == n


def test_blocks_are_joined_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of many blocks, one of which holds an odd cell: every row is there once, the others untouched."""
    monkeypatch.setattr(read_table, "BLOCK_BYTES", 1 << 10)
    rows = [f"f{place},{place}\n" if place != 777 else f"f{place},odd\n" for place in range(2000)]
    found = read(tmp_path / "t.csv", f"name,n\n{''.join(rows)}")
    expected = np.arange(2000.0)
    expected[777] = np.nan
    np.testing.assert_array_equal(found.numbers["n"].to_numpy(), expected)
    assert found.texts["name"].tolist() == [f"f{place}" for place in range(2000)]
    assert found.unreadable == {"n": 1}


@pytest.mark.parametrize("content", [b"", b"name,n\nx\xff,1\n"])
def test_what_is_no_table_is_told(tmp_path: Path, content: bytes) -> None:
    """An empty file, and one that is not UTF-8."""
    with pytest.raises(UserError, match="cannot be read as CSV in UTF-8"):
        read(tmp_path / "t.csv", content)


def test_names_are_categories_in_alphabetical_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over many blocks each name is one category, and the rows hold what the file says."""
    monkeypatch.setattr(read_table, "BLOCK_BYTES", 1 << 10)
    cells = [f"f{place % 7}" if place < 1000 else "" for place in range(2000)]
    path = tmp_path / "t.csv"
    path.write_text("name,n\n" + "".join(f"{cell},1\n" for cell in cells))
    wanted = Wanted(frozenset(), frozenset({"n"}), frozenset(), names=frozenset({"name"}))
    names = read_columns(path, column_names(path), wanted).names["name"]
    assert names.tolist() == cells
    assert list(names.cat.categories) == ["", *(f"f{number}" for number in range(7))]
