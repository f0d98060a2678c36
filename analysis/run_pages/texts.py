"""Every text of a page once, wherever it was sent or said again."""

from __future__ import annotations

LONGEST = 200_000
"""Characters of one text; nobody reads further in a page."""


class TextPool:
    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._places: dict[str, int] = {}
        self.characters = 0
        """Of all texts together."""

    def place(self, text: str) -> int:
        """Where `text` is in `texts`, cut with a note of what is missing."""
        if len(text) > self._longest:
            text = (
                f"{text[: self._longest]}\n[{len(text) - self._longest:,} more characters are in the records]"
            )
        if text not in self._places:
            self.characters += len(text)
        return self._places.setdefault(text, len(self._places))

    @property
    def texts(self) -> list[str]:
        return list(self._places)
