"""Groups of frameworks of which no two are told apart, in place of a rank list.

The maximal sets, found as in Piepho's algorithm for letter displays (An Algorithm for a Letter-Based
Representation of All-Pairwise Comparisons, JCGS 13, 2004): each pair that differs splits every set with both.
Two frameworks that share no group are told apart, and only those.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import ascii_lowercase

MOST_GROUPS = 52
"""More sets no reader follows; tangled pairs of many frameworks can make very many."""


def maximal_groups(count: int, differ: Iterable[tuple[int, int]]) -> list[list[int]] | None:
    """Sets of places from 0 to `count` - 1, each sorted, in the order of their members; None: too many."""
    groups = {(1 << count) - 1} if count else set()
    for i, j in differ:
        both = (1 << i) | (1 << j)
        split = [group for group in groups if group & both == both]
        groups.difference_update(split)
        for part in (part for group in split for part in (group & ~(1 << i), group & ~(1 << j))):
            if not any(part & other == part for other in groups):
                groups.add(part)
        if len(groups) > MOST_GROUPS:
            return None
    return sorted([place for place in range(count) if group >> place & 1] for group in groups)


def letters(count: int) -> list[str]:
    """A to z, then aa, ab and so on."""
    more = [first + second for first in ascii_lowercase for second in ascii_lowercase]
    return [*ascii_lowercase, *more][:count]


def letters_of(place: int, groups: Sequence[Sequence[int]]) -> str:
    found = [letter for letter, group in zip(letters(len(groups)), groups, strict=True) if place in group]
    return (" " if len(groups) > len(ascii_lowercase) else "").join(found)
