"""Where two texts agree, and where one holds most of another though not word for word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from difflib import Match as Block
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

from analysis.fairness.result import Mark

MOST_CHARACTERS = 100_000
"""Of a text that is compared. Prompts are far shorter; what is longer counts as having nothing in common."""
MOST_PAIRS = 100_000
"""Of equal units of two texts that are compared: the time grows with their number. 0.2 s on a slow core."""
LEAST_SHARE = 0.5
"""Of a text that must be found, for the rest to be changes of it."""
LOOSE_CHARACTERS = 80
"""That may be put in between two stretches of a changed text."""
LINES = re.compile(r"[^\n]*\n|[^\n]+")
WORDS = re.compile(r"\w+[^\S\n]*|[^\w\s]|\s")


class Match(NamedTuple):
    """`a[a_start:a_start + length]` is `b[b_start:b_start + length]`."""

    a_start: int
    b_start: int
    length: int


@dataclass(frozen=True, slots=True)
class Changed:
    """`text[start:end]` is the known text with edits."""

    start: int
    end: int
    edits: tuple[tuple[Mark, str], ...]
    """All of the region in order, what stayed included."""
    share: float
    """Of the known text's characters that are there."""


def matching(a: str, b: str, *, by_words: bool = True) -> list[Match]:
    """Stretches in common, in order: lines first, then words in between."""
    if max(len(a), len(b)) > MOST_CHARACTERS:
        return []
    return _joined(_matches(a, b, LINES, by_words=by_words))


def blocks_in_common(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[Block] | None:
    """`difflib`'s matching blocks, the empty one at the end included; None when it would take too long."""
    counts = Counter(left), Counter(right)
    if sum(count * counts[1][unit] for unit, count in counts[0].items()) > MOST_PAIRS:
        return None
    return SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks()


def edits_between(a: str, b: str) -> Iterator[tuple[Mark, str]]:
    """What makes `b` of `a`."""
    a_end = b_end = 0
    for match in [*matching(a, b), Match(len(a), len(b), 0)]:
        removed, added = a[a_end : match.a_start], b[b_end : match.b_start]
        if removed:
            yield "removed", removed
        if added:
            yield "added", added
        if match.length:
            yield "same", a[match.a_start : match.a_start + match.length]
        a_end, b_end = match.a_start + match.length, match.b_start + match.length


def find_changed(known: str, text: str, *, by_words: bool = True) -> Changed | None:
    """None when less than LEAST_SHARE of `known` is in one place of `text`."""
    if max(len(known), len(text)) > MOST_CHARACTERS:
        return None
    return _find_changed(known, text, by_words=by_words)


@lru_cache(maxsize=512)  # iterations ask the same again
def _find_changed(known: str, text: str, *, by_words: bool) -> Changed | None:
    matches = _cluster(matching(known, text, by_words=by_words))
    share = sum(match.length for match in matches) / max(1, len(known))
    if share < LEAST_SHARE:
        return None
    first, last = matches[0], matches[-1]
    left_out_before, left_out_after = first.a_start, len(known) - last.a_start - last.length
    room_after = len(text) - last.b_start - last.length
    # What stands in the place of a beginning or an end that is left out replaces it, unless it is far longer.
    start = first.b_start if first.b_start > 2 * left_out_before else 0
    end = len(text) if room_after <= 2 * left_out_after else len(text) - room_after
    return Changed(start, end, tuple(edits_between(known, text[start:end])), share)


def _cluster(matches: list[Match]) -> list[Match]:
    """The longest match with those around it: single words far off are chance."""
    if not matches:
        return []
    anchor = matches.index(max(matches, key=lambda match: match.length))
    low = high = anchor
    while low > 0 and _is_near(matches[low - 1], matches[low]):
        low -= 1
    while high + 1 < len(matches) and _is_near(matches[high], matches[high + 1]):
        high += 1
    return matches[low : high + 1]


def _is_near(before: Match, after: Match) -> bool:
    left_out = after.a_start - before.a_start - before.length
    put_in = after.b_start - before.b_start - before.length
    return put_in <= LOOSE_CHARACTERS + 3 * left_out


def _matches(a: str, b: str, unit: re.Pattern[str], *, by_words: bool) -> Iterator[Match]:
    left, right = unit.findall(a), unit.findall(b)
    a_starts, b_starts = _starts(left), _starts(right)
    a_end = b_end = 0
    for block in blocks_in_common(left, right) or [Block(len(left), len(right), 0)]:
        a_start, b_start = a_starts[block.a], b_starts[block.b]
        if by_words and a_start > a_end and b_start > b_end:
            for match in _matches(a[a_end:a_start], b[b_end:b_start], WORDS, by_words=False):
                yield Match(a_end + match.a_start, b_end + match.b_start, match.length)
        a_end, b_end = a_starts[block.a + block.size], b_starts[block.b + block.size]
        if block.size:
            yield Match(a_start, b_start, a_end - a_start)


def _starts(parts: list[str]) -> list[int]:
    starts = [0]
    for part in parts:
        starts.append(starts[-1] + len(part))
    return starts


def _joined(matches: Iterator[Match]) -> list[Match]:
    joined: list[Match] = []
    for match in matches:
        last = joined[-1] if joined else None
        if (
            last
            and last.a_start + last.length == match.a_start
            and last.b_start + last.length == match.b_start
        ):
            joined[-1] = last._replace(length=last.length + match.length)
        else:
            joined.append(match)
    return joined
