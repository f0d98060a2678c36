"""A report as sentences: without headings and markup, each of bounded length, a bounded number of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from judge.sections import MAX_HEADING_CHARS, is_heading

MAX_SENTENCES = 2_000
"""Fifty times an 800-word report."""
MAX_SENTENCE_CHARS = 1_000
"""Longer ones are read in pieces."""
MAX_LABEL_CHARS = 60
MAX_ENDING_CHARS = 5
"""Of the last sentence, to see whether it ends the text: marks inside it are gone."""

# Control and direction characters, the soft hyphen, zero-width characters and lone surrogates.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s()<>\[\]]{1,500}")
_LINK_TARGET = re.compile(r"\]\([^()\n]{0,500}\)")
_LIST_MARK = re.compile(r"\s{0,20}(?:[-*+•>|]\s{1,3}|\(?(?:\d{1,3}|[a-z]|[ivxIVX]{1,4})[.)]\s{1,3})")
_BOLD_LINE = re.compile(r"(\*\*|__)[^*_]{1,120}\1:?")
_LABEL = re.compile(rf"[^:.!?\n]{{1,{MAX_LABEL_CHARS}}}:(?=\s)")
_OPENING = "\"'([\u201c\u2018"
_END = re.compile(r"[.!?]{1,3}[\"')\]\u201d\u2019]{0,2}\s{1,5}(?=[\"'(\[\u201c\u2018]{0,2}[^\W_])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:inc|corp|ltd|co|mr|mrs|ms|dr|prof|st|vs|etc|approx|no|u\.s|u\.k|e\.g|i\.e"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)|\b[a-z])$",
    re.IGNORECASE,
)
_ABBREVIATION_CHARS = 8


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    """On one line, without emphasis marks, tags and unseen characters."""
    label_chars: int = 0
    """Length of the label that begins it, its colon included: "Global Reach: ..."."""
    cut_off: bool = False
    """Ends the text without punctuation, as an answer does that ran into its token limit."""


def read_sentences(text: str, sections: Sequence[str]) -> list[Sentence]:
    """In order. Headings (wanted sections, "# ...", whole lines in bold) and code fences are left out."""
    shown = visible(text)
    blocks = _blocks(shown, sections)
    found = list(islice((sentence for block in blocks for sentence in _sentences(block)), MAX_SENTENCES))
    if found and shown.rstrip().endswith(found[-1].text[-MAX_ENDING_CHARS:]) and found[-1].text[-1].isalnum():
        found[-1] = replace(found[-1], cut_off=True)
    return found


def visible(text: str) -> str:
    """What a reader sees: no tags, link targets, addresses, and none of the characters that only steer."""
    shown = _UNSEEN.sub("", text)
    return _LINK_TARGET.sub("]", _ADDRESS.sub(" ", _TAG.sub(" ", shown)))


def _blocks(text: str, sections: Sequence[str]) -> Iterator[str]:
    """Lines, those that a writer wrapped put together: a line that goes on in lower case."""
    block = ""
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare.startswith(("```", "~~~")) or _is_title(bare, sections):
            yield block
            block = ""
        elif block and bare[0].islower() and len(block) < MAX_SENTENCE_CHARS:
            block = f"{block} {bare}"
        else:
            yield block
            block = bare
    yield block


def _is_title(bare: str, sections: Sequence[str]) -> bool:
    """A line longer than a heading is text, whatever marks it has."""
    if len(bare) > MAX_HEADING_CHARS:
        return False
    return bare.startswith("#") or _BOLD_LINE.fullmatch(bare) is not None or is_heading(bare, sections)


def _sentences(block: str) -> Iterator[Sentence]:
    text = " ".join(_without_marks(block).split())
    start = 0
    for end in (*_ends(text), len(text)):
        for piece in _pieces(text[start:end].strip()):
            if any(character.isalnum() for character in piece):
                label = _LABEL.match(piece) if start == 0 else None
                yield Sentence(piece, label.end() if label else 0)
        start = end


def _without_marks(block: str) -> str:
    block = block.lstrip("# ")
    mark = _LIST_MARK.match(block)
    return (block[mark.end() :] if mark else block).replace("*", "").replace("`", "").replace("__", "")


def _ends(text: str) -> Iterator[int]:
    """Where a sentence ends: not behind an abbreviation or initial, nor before a lower-case word."""
    for found in _END.finditer(text):
        after = text[found.end() : found.end() + 3].lstrip(_OPENING)
        before = text[max(0, found.start() - _ABBREVIATION_CHARS) : found.start()]
        abbreviated = found[0][0] == "." and _ABBREVIATION.search(before)
        if not after[:1].islower() and not abbreviated:
            yield found.end()


def _pieces(sentence: str) -> Iterator[str]:
    for start in range(0, len(sentence), MAX_SENTENCE_CHARS):
        yield sentence[start : start + MAX_SENTENCE_CHARS]
