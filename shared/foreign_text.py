"""Text that somebody else wrote, on its way to a person."""

from __future__ import annotations

import unicodedata


def harmless(text: str) -> str:
    """Without what steers a terminal: escape sequences, control and direction characters."""
    return "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else "?" for c in text)
