"""Names and texts that anybody may have written, on their way to a terminal, to Markdown or to XML."""

from __future__ import annotations

import html
import re
import unicodedata

_MARKDOWN = re.compile(r"([\\`*_\[\]#|~])")


def harmless(text: str) -> str:
    """One line without control and direction characters, which steer a terminal and break XML."""
    return "".join(c if unicodedata.category(c)[0] not in "CZ" or c == " " else " " for c in text)


def markdown_cell(text: str) -> str:
    """As text in a cell of a Markdown table: no mark-up, no HTML, and nobody is mentioned."""
    return _MARKDOWN.sub(r"\\\1", html.escape(harmless(text), quote=False)).replace("@", "&#64;")


def markdown_table(headings: list[str], rows: list[list[str]]) -> str:
    """Every cell is escaped."""
    lines = [headings, ["---"] * len(headings), *([markdown_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
