"""Text that a model, a framework or a server may have written, on its way to a terminal or a spreadsheet."""

from __future__ import annotations

import unicodedata

FORMULA_STARTS = ("=", "+", "-", "@")
"""Spreadsheets compute a cell that begins so."""


def harmless(text: str) -> str:
    """Without what steers a terminal: escape sequences, control and direction characters."""
    return "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else "?" for c in text)


def first_line(text: str | None) -> str:
    """Of what there is but blank lines, for those who have room for one."""
    lines = (text or "").strip().splitlines()
    return harmless(lines[0]) if lines else ""


def cell(text: str) -> str:
    """As text in a spreadsheet: the apostrophe is how one says that it is no formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
