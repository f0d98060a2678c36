"""Columns of names, as categories: made readable, with what is worked out once per different name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.read_table import categorical
from shared.foreign_text import harmless

MOST_NAME = 100
"""Characters of a name; more than any of ours, and what a table can still show."""


def renamed(names: pd.Series, made: Callable[[str], str]) -> pd.Series:
    """A categorical column with `made` of each name."""
    new = [made(str(name)) for name in names.cat.categories]
    return categorical(names.cat.codes.to_numpy(), new).set_axis(names.index)


def readable(names: pd.Series) -> pd.Series:
    known = pa.array(names.cat.categories, type=pa.string())
    plain = pc.and_(pc.ascii_is_printable(known), pc.less_equal(pc.binary_length(known), MOST_NAME))
    return names if pc.all(plain).as_py() is not False else renamed(names, readable_name)


def readable_name(name: str) -> str:
    """On one line, no control characters, not longer than a table can show; two names never become one."""
    if len(name) <= MOST_NAME and name.isprintable():
        return name
    shown = " ".join(harmless(name).split())
    shown = shown if len(shown) <= MOST_NAME else f"{shown[:MOST_NAME]}…"
    return shown if shown == name else f"{shown} #{_digest(name)[:6]}"


def named_by(first: pd.Series, second: pd.Series, name: Callable[[str, str], str]) -> pd.Series:
    """`name` of each row's two names, worked out once per different pair."""
    firsts, seconds = first.cat.categories, second.cat.categories
    place, pairs = pd.factorize(first.cat.codes.to_numpy(dtype=int) * len(seconds) + second.cat.codes)
    both = (divmod(int(pair), len(seconds)) for pair in pairs)
    names = [name(str(firsts[one]), str(seconds[other])) for one, other in both]
    return categorical(place, names).set_axis(first.index)


def count_names(names: pd.Series) -> dict[str, int]:
    """Of a categorical column: how often each name is there, the most frequent first."""
    return {str(name): int(count) for name, count in names.astype("str").value_counts().items()}


def has_report(rows: pd.DataFrame) -> pd.Series:
    """Whether the digest of each run's report is known."""
    digests = rows["report_digest"].cat
    # The empty one comes first. To look for it in a million would cost the memory of them as Python objects.
    return digests.codes >= (1 if list(digests.categories[:1]) == [""] else 0)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
