"""The parts of a report that damage works on: headings, sections, paragraphs, as ranges of its lines.

Lines are what a line feed separates, and joining them gives the report back, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

MAX_HEADING_CHARS = 120
FEWEST_WORDS = 5
"""What is shorter is no paragraph that anybody would miss."""

_HEADING = re.compile(r"^ {0,3}(?P<marks>#{1,6})[ \t]+\S")
_BOLD_LINE = re.compile(r"^ {0,3}(?:\d{1,2}\.[ \t]{0,3})?\*\*[^*]{1,100}\*\*:?[ \t\r]*$")
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)")
_WORD = re.compile(r"[^\W_]+")

BOLD_LEVEL = 7
"""A line in bold alone is a heading below every heading with marks."""


@dataclass(frozen=True, slots=True)
class Section:
    heading: str
    start: int
    """Line of the heading."""
    end: int
    """Line after the section's last, subsections included."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    start: int
    end: int
    """Line after its last."""
    section: int
    """Number of headings before it."""


@dataclass(frozen=True, slots=True)
class Parts:
    lines: list[str]
    sections: list[Section]
    paragraphs: list[Paragraph]

    def text_of(self, part: Section | Paragraph) -> str:
        return "\n".join(self.lines[part.start : part.end])

    def body_of(self, section: Section) -> str:
        return "\n".join(self.lines[section.start + 1 : section.end])


def read_parts(text: str) -> Parts:
    lines = text.split("\n")
    levels = [(place, level) for place, line in enumerate(lines) if (level := _level(line))]
    sections = [
        Section(lines[place].strip(), place, _end(levels[number + 1 :], level, len(lines)))
        for number, (place, level) in enumerate(levels)
    ]
    return Parts(lines, sections, list(_paragraphs(lines)))


def words_in(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def with_sentence(line: str, sentence: str) -> str:
    """The sentence after the line's last character, before a carriage return."""
    kept = line.removesuffix("\r")
    return f"{kept} {sentence}{line[len(kept) :]}"


def _end(later: list[tuple[int, int]], level: int, default: int) -> int:
    return next((place for place, other in later if other <= level), default)


def _level(line: str) -> int:
    """0: no heading."""
    if len(line) > MAX_HEADING_CHARS:
        return 0
    found = _HEADING.match(line)
    if found:
        return len(found["marks"])
    return BOLD_LEVEL if _BOLD_LINE.match(line) else 0


def _paragraphs(lines: list[str]) -> Iterator[Paragraph]:
    """Runs of lines between blank lines, headings and fences, if they hold enough words."""
    breaks = [-1, *(place for place, line in enumerate(lines) if _is_break(line)), len(lines)]
    headings = 0
    for before, after in pairwise(breaks):
        headings += before >= 0 and bool(_level(lines[before]))
        if after > before + 1 and len(words_in("\n".join(lines[before + 1 : after]))) >= FEWEST_WORDS:
            yield Paragraph(before + 1, after, headings)


def _is_break(line: str) -> bool:
    return not line.strip() or bool(_level(line)) or bool(_FENCE.match(line))
