"""A passage of a document, and the way passages are handed to a model. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from shared.foreign_text import harmless

Way = Literal["both", "dense", "bm25"]
"""How passages are searched: by meaning and by words together, or by one of them alone."""
QUOTE = "> "
"""Before each line of a document, so that no line of it can pass for a heading of ours."""


@dataclass(frozen=True, slots=True)
class Passage:
    text: str
    file: str
    """Below the indexed folder, with slashes."""
    page: int | None
    """From 1; None for kinds of files that have no pages."""

    @property
    def place(self) -> str:
        """E.g. "manuals/pump.pdf, page 3". One line, whatever the file is called."""
        file = " ".join(harmless(self.file).split())
        return file if self.page is None else f"{file}, page {self.page}"


@dataclass(frozen=True, slots=True)
class Numbered:
    """A passage under the number by which it is cited."""

    number: int
    passage: Passage

    @property
    def shown(self) -> str:
        """A heading with number and place, then the text, each line of it quoted."""
        lines = harmless(self.passage.text).splitlines() or [""]
        return "\n".join([heading(self.number, self.passage.place), *(f"{QUOTE}{line}" for line in lines)])


def heading(number: int, place: str) -> str:
    return f"[{number}] {place}"


def numbered(passages: Iterable[Passage], first: int = 1) -> tuple[Numbered, ...]:
    return tuple(Numbered(number, passage) for number, passage in enumerate(passages, first))
