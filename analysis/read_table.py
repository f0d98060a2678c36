"""A CSV of runs as columns, block by block: numbers never stand in memory as text all at once.

Plain files go through Arrow. What Arrow will not take (rows of unequal length, a name twice, another dialect)
is read by pandas, which knows more of the world and takes about ten times as long.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from shared.errors import UserError

BLOCK_BYTES = 8 << 20
LARGEST = 1e15
"""No second, token or score is beyond; squares and sums of more would overflow. Such a cell is unreadable."""
FLAGS = {"true": 1.0, "1": 1.0, "false": 0.0, "0": 0.0}


@dataclass(frozen=True)
class Wanted:
    """Names of columns, by what is made of their cells."""

    texts: frozenset[str]
    numbers: frozenset[str]
    flags: frozenset[str]
    hashed: frozenset[str] = frozenset()
    """Long texts of which only the SHA-256 is kept."""
    names: frozenset[str] = frozenset()
    """Texts that things are told apart by."""

    @property
    def all(self) -> frozenset[str]:
        return self.texts | self.names | self.numbers | self.flags | self.hashed


@dataclass(frozen=True)
class Columns:
    """What a file holds of what was asked for; a column that it lacks is in none of them."""

    texts: Mapping[str, pd.Series]
    """Stripped."""
    names: Mapping[str, pd.Series]
    """Stripped; categorical, the categories in alphabetical order."""
    numbers: Mapping[str, pd.Series]
    """float64; NaN where a cell is empty or holds no usable number."""
    unreadable: Mapping[str, int]
    """Of `numbers`: cells that hold something, but no usable number."""
    flags: Mapping[str, pd.Series]
    """1.0, 0.0 or NaN."""
    hashes: Mapping[str, pd.Series]
    """In hex, categorical likewise; empty where the text is."""
    rows: int


def column_names(csv: Path) -> tuple[str, ...]:
    """Of the first row. Raises UserError."""
    return tuple(map(str, _pandas(csv, nrows=0).columns))


def read_columns(csv: Path, names: tuple[str, ...], wanted: Wanted) -> Columns:
    """The wanted columns of a file whose header has `names`; raises UserError when it is no CSV in UTF-8."""
    present = [name for name in names if name in wanted.all]
    gathered = _Gathered(wanted)
    try:
        for batch in _arrow_batches(csv, present):
            gathered.add(batch)
    except (pa.ArrowInvalid, pa.ArrowKeyError):
        gathered = _Gathered(wanted)
        gathered.add(pa.RecordBatch.from_pandas(_pandas(csv)[present], preserve_index=False))
    return gathered.columns(present)


def _arrow_batches(csv: Path, wanted: list[str]) -> Iterator[pa.RecordBatch]:
    """Every cell as text: a framework called "nan" keeps its name, and no bad cell goes unseen."""
    if len(set(wanted)) < len(wanted) or not wanted:
        raise pa.ArrowInvalid("not a plain table")
    yield from pa_csv.open_csv(
        csv,
        read_options=pa_csv.ReadOptions(block_size=BLOCK_BYTES),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, pa.string()),
            strings_can_be_null=False,
            check_utf8=True,
        ),
    )


def _pandas(csv: Path, nrows: int | None = None) -> pd.DataFrame:
    try:
        found = pd.read_csv(csv, dtype=str, keep_default_na=False, encoding="utf-8-sig", nrows=nrows)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError, OSError) as error:
        raise UserError(f"{csv} cannot be read as CSV in UTF-8: {str(error).strip()}") from error
    if not isinstance(found.index, pd.RangeIndex):  # pandas took the first cells as the rows' names
        raise UserError(f"{csv}: its rows have more cells than its header has columns. Mend the header.")
    return found


class _Gathered:
    """Pieces of each column until all are there."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._texts: dict[str, list[pa.Array]] = {}
        self._names: dict[str, list[pa.DictionaryArray]] = {}
        self._numbers: dict[str, list[np.ndarray]] = {}
        self._flags: dict[str, list[np.ndarray]] = {}
        self._hashes: dict[str, list[pa.DictionaryArray]] = {}
        self._unreadable: dict[str, int] = {}
        self._rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self._rows += batch.num_rows
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            cells = pc.fill_null(column.cast(pa.string()), "")
            stripped = pc.utf8_trim_whitespace(cells)
            if name in self._wanted.texts:
                self._texts.setdefault(name, []).append(stripped)
            if name in self._wanted.names:
                self._names.setdefault(name, []).append(stripped.dictionary_encode())
            if name in self._wanted.numbers:
                values = _floats(stripped)
                self._numbers.setdefault(name, []).append(values)
                bad = int((np.isnan(values) & _filled(stripped)).sum())
                self._unreadable[name] = self._unreadable.get(name, 0) + bad
            if name in self._wanted.flags:
                self._flags.setdefault(name, []).append(_flags(stripped))
            if name in self._wanted.hashed:
                self._hashes.setdefault(name, []).append(_hashes(cells).dictionary_encode())

    def columns(self, present: list[str]) -> Columns:
        wanted = self._wanted
        return Columns(
            texts={name: _series(self._texts.pop(name, [])) for name in present if name in wanted.texts},
            names={name: _names(self._names.pop(name, [])) for name in present if name in wanted.names},
            numbers={
                name: _joined(self._numbers.pop(name, [])) for name in present if name in wanted.numbers
            },
            unreadable={name: count for name, count in self._unreadable.items() if count},
            flags={name: _joined(self._flags.pop(name, [])) for name in present if name in wanted.flags},
            hashes={name: _names(self._hashes.pop(name, [])) for name in present if name in wanted.hashed},
            rows=self._rows,
        )


def _floats(texts: pa.Array) -> np.ndarray:
    try:
        known = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
        found = pc.cast(known, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:  # some cell holds no number, or one that only Python spells so
        found = pd.to_numeric(texts.to_pandas(), errors="coerce").to_numpy(dtype=float)
    return np.where(np.abs(found) <= LARGEST, found, np.nan)


def _filled(texts: pa.Array) -> np.ndarray:
    return np.asarray(pc.not_equal(texts, "").to_numpy(zero_copy_only=False), dtype=bool)


def _flags(texts: pa.Array) -> np.ndarray:
    return np.asarray(texts.to_pandas().str.lower().map(FLAGS), dtype=float)


def _hashes(texts: pa.Array) -> pa.Array:
    found = [hashlib.sha256(text.encode()).hexdigest() if text else "" for text in texts.to_pylist()]
    return pa.array(found, type=pa.string())


def _series(pieces: list[pa.Array]) -> pd.Series:
    whole = pa.chunked_array(pieces, type=pa.string()).combine_chunks()
    return pd.Series(whole.to_pandas(), dtype="str")


def _names(pieces: list[pa.DictionaryArray]) -> pd.Series:
    if not pieces:
        return categorical(np.empty(0, dtype=int), [])
    whole = pa.chunked_array(pieces).unify_dictionaries().combine_chunks()
    # Of a million runs each may have a digest of its own: never a Python object for every one.
    order = pc.sort_indices(whole.dictionary)
    codes = np.empty(len(order), dtype=int)
    codes[order.to_numpy()] = np.arange(len(order))
    names = pd.Index(whole.dictionary.take(order).to_pandas(), dtype="str")
    return pd.Series(pd.Categorical.from_codes(codes[whole.indices.to_numpy()], names))


def categorical(places: np.ndarray, names: Sequence[str]) -> pd.Series:
    """The name at each place; `names` may hold one twice."""
    ordered = sorted(set(names))
    code_of = {name: code for code, name in enumerate(ordered)}
    codes = np.array([code_of[name] for name in names], dtype=int)[places]
    return pd.Series(pd.Categorical.from_codes(codes, pd.Index(ordered, dtype="str")))


def _joined(pieces: list[np.ndarray]) -> pd.Series:
    return pd.Series(np.concatenate(pieces) if pieces else np.empty(0), dtype=float)
