"""How much of a text repeats itself."""

from __future__ import annotations

import re
from itertools import islice

NGRAM = 4
MAX_WORDS = 100_000
"""Over a hundred times an 800-word report; what follows is not read."""

# A run of letters without an end is cut: a loop of syllables repeats itself as well.
_PIECE = re.compile(r"[^\W_]{1,16}")


def repetition(text: str) -> float | None:
    """Share of the word 4-grams that are repeats of earlier ones, from 0 to nearly 1 for a loop.

    This is seq-rep-4 of Welleck et al., Neural Text Generation with Unlikelihood Training (2020):
    1 - distinct 4-grams / 4-grams. None for a text without any 4-gram.
    """
    words = [found[0] for found in islice(_PIECE.finditer(text.lower()), MAX_WORDS)]
    grams = list(zip(*(words[start:] for start in range(NGRAM)), strict=False))
    return 1 - len(set(grams)) / len(grams) if grams else None
