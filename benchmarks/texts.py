"""Text of realistic size for requests and answers, the same every time."""

from __future__ import annotations

import itertools

_WORDS = (
    "the company reported that revenue from its second segment grew while costs of delivery fell and its "
    "largest customers renewed their contracts for three more years according to filings published in March "
    "which analysts had not expected given weaker demand across Europe and a change of prices in the spring"
)


def text_of(characters: int) -> str:
    """Plain English words, no two thousand characters of which repeat line by line."""
    parts: list[str] = []
    length = 0
    for number, word in enumerate(itertools.cycle(_WORDS.split())):
        part = f"{word} {number} " if number % 17 == 0 else f"{word} "
        parts.append(part)
        length += len(part)
        if length >= characters:
            return "".join(parts)[:characters]
    raise AssertionError  # a cycle has no end
