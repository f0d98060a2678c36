"""Text from the wire on its way to a reader: nothing in it acts on a terminal or hides from the eye."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from analysis.fairness.known_texts import Piece
from analysis.fairness.result import Mark, Span

MOST_CHARACTERS = 400
"""Of one stretch that is shown."""
AROUND = 60
"""Characters shown on each side of a difference."""


def visible(text: str, most: int = MOST_CHARACTERS) -> str:
    """Control, format and direction characters as escapes; the middle left out beyond `most` characters."""
    if len(text) > most:
        half = most // 2
        left_out = f" \u2026 {len(text) - 2 * half:,} characters \u2026 "
        return _escaped(text[:half]) + left_out + _escaped(text[-half:])
    return _escaped(text)


def edit_spans(edits: Iterable[tuple[Mark, str]]) -> list[Span]:
    """Edits as spans of text, what stayed the same cut to what stands around a difference."""
    return [
        Span(
            mark=mark,
            source="framing",
            text=visible(text, 2 * AROUND if mark == "same" else MOST_CHARACTERS),
            characters=len(text),
        )
        for mark, text in edits
    ]


def label(piece: Piece) -> Span:
    """What stands for a piece that is where it comes from, word for word."""
    return Span(
        mark="same",
        source=piece.source,
        agent=piece.agent,
        characters=len(piece.text),
        text=visible(piece.text) if piece.source == "framing" else "",
        changed=piece.is_changed,
    )


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
