"""In which order a rater sees reports, or pairs of them.

Drawn from the rater's name: each rater has an order of his own, and the same one when he comes back. A
report that is added later takes its place between the others, whose order stays.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from judge.rating.rater_name import name_key

REPEAT_SHARE = 0.1
"""One in ten, rounded up, is shown a second time, so that a rater's own agreement can be measured."""
FEWEST_TO_REPEAT = 4
"""With fewer, a repeat would be seen for what it is."""
LEAST_GAP, MOST_GAP = 3, 10
"""Places from a showing to its repeat, at least; with many reports it follows within twice as many."""


@dataclass(frozen=True, slots=True)
class Showing:
    reports: tuple[str, ...]
    """Ids: one, or a pair in the order of the screen."""
    showing: int
    """1, or 2 for the repeat."""


def order_of_reports(ids: Iterable[str], rater: str) -> list[Showing]:
    order = sorted(set(ids), key=lambda report: _draw(rater, "report", report))
    return _with_repeats([(report,) for report in order], rater)


def order_of_pairs(ids_by_item: Mapping[str, Iterable[str]], rater: str) -> list[Showing]:
    """Each two reports on the same item once, in rounds that have each report once.

    So whoever stops early has compared each about equally often.
    """
    rounds = [
        _rounds(sorted(set(ids), key=lambda report: _draw(rater, "pair", report)))
        for _, ids in sorted(ids_by_item.items())
    ]
    pairs = [pair for together in zip_longest(*rounds, fillvalue=[]) for pair in chain(*together)]
    return _with_repeats([_on_sides(pair, rater) for pair in pairs], rater)


def _with_repeats(order: Sequence[tuple[str, ...]], rater: str) -> list[Showing]:
    shown = [Showing(reports, 1) for reports in order]
    if len(order) < FEWEST_TO_REPEAT:
        return shown
    gap = min(max(LEAST_GAP, len(order) // 2), MOST_GAP)
    early = sorted(order[: len(order) - gap + 1], key=lambda reports: _draw(rater, "again", *reports))
    for reports in early[: math.ceil(len(order) * REPEAT_SHARE)]:
        earliest = shown.index(Showing(reports, 1)) + gap
        place = min(len(shown), earliest + _draw(rater, "place", *reports) % (gap + 1))
        shown.insert(place, Showing(reports[::-1], 2))  # a pair comes back with its sides changed
    return shown


def _rounds(ids: Sequence[str]) -> list[list[tuple[str, str]]]:
    """A round-robin tournament by the circle method: the first stays, the others move on by one."""
    circle: list[str | None] = [*ids, None] if len(ids) % 2 else [*ids]
    found = []
    for _ in range(len(circle) - 1):
        half = len(circle) // 2
        opposite = zip(circle[:half], reversed(circle[half:]), strict=True)
        found.append([(one, other) for one, other in opposite if one is not None and other is not None])
        circle = [circle[0], circle[-1], *circle[1:-1]]
    return found


def _on_sides(pair: tuple[str, str], rater: str) -> tuple[str, str]:
    first, second = sorted(pair)
    return (first, second) if _draw(rater, "side", first, second) % 2 else (second, first)


def _draw(rater: str, *what: str) -> int:
    drawn = hashlib.blake2b("\0".join([name_key(rater), *what]).encode(), digest_size=8)
    return int.from_bytes(drawn.digest())
