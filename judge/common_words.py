"""Words that begin with a capital letter in business English without naming anything.

`common_words.txt` lists titles, roles, the calendar, general abbreviations, and the vocabulary of headings in
title case; endings tell abstract nouns and adverbs.
"""

from __future__ import annotations

from pathlib import Path

from judge.passage import word_keys

_LINES = (Path(__file__).parent / "common_words.txt").read_text(encoding="utf-8").splitlines()
COMMON_WORDS = frozenset(word_keys(" ".join(line for line in _LINES if not line.startswith("#"))))

ENDINGS = (
    *("ing", "tion", "sion", "ment", "ness", "ity", "itie", "ance", "ence", "able", "ible", "ally", "ology"),
    *("ional", "fully", "ively"),
)
MIN_ENDING_CHARS = 8


def is_common(key: str) -> bool:
    """Of a word as `word_keys` gives it."""
    return key in COMMON_WORDS or (len(key) >= MIN_ENDING_CHARS and key.endswith(ENDINGS))
