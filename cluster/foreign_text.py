"""Text that a model, a framework or a server may have written, on its way to a terminal or a spreadsheet."""

from __future__ import annotations

from shared.foreign_text import harmless

FORMULA_STARTS = ("=", "+", "-", "@")
"""Spreadsheets compute a cell that begins so."""


def first_line(text: str | None) -> str:
    """Of what there is but blank lines, for those who have room for one."""
    lines = (text or "").strip().splitlines()
    return harmless(lines[0]) if lines else ""


def cell(text: str) -> str:
    """As text in a spreadsheet: the apostrophe is how one says that it is no formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
