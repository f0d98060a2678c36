"""Which of the wanted sections a report has.

A heading is a line of its own or a line's beginning up to a colon, with or without Markdown marks, numbering
or bold; "Products and Services" is "Products & Services". It counts when text follows before the next one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from judge.passage import plain, words_of

MAX_HEADING_CHARS = 120

_NUMBERING = re.compile(r"^(?:section |part )?(?:\d{1,2}|[ivx]{1,5})[.):]\s*")
_MARKS = " \t#>-+•|="


def sections_found(text: str, wanted: Sequence[str]) -> list[str]:
    """In the order wanted."""
    by_words = {_loose(section): section for section in wanted}
    found: set[str] = set()
    current: str | None = None
    for line in filter(str.strip, text.splitlines()):
        heading, rest = _split(line)
        if heading in by_words:
            current = by_words[heading]
            line = rest  # noqa: PLW2901 - what follows the heading is the section's first text
        if current and any(character.isalnum() for character in line):
            found.add(current)
    return [section for section in wanted if section in found]


def is_heading(line: str, wanted: Sequence[str]) -> bool:
    """Whether the line is the heading of a wanted section, and nothing besides."""
    heading, rest = _split(line)
    return not any(map(str.isalnum, rest)) and heading in {_loose(section) for section in wanted}


def _split(line: str) -> tuple[str, str]:
    """The words of a heading, if this line is one, and the rest of the line."""
    start = _NUMBERING.sub("", plain(line[:MAX_HEADING_CHARS]).strip(_MARKS))
    whole = _loose(start)
    before, colon, _ = start.partition(":")
    if not colon or _loose(before) == whole:
        return whole, ""
    return _loose(before), line.partition(":")[2]


@lru_cache(maxsize=1_000)
def _loose(words: str) -> str:
    """Without plural endings, so that "Conclusions" is "Conclusion"."""
    return " ".join(word.removesuffix("s") for word in words_of(plain(words)).split())
