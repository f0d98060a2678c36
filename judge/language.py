"""Which language a text is in."""

from __future__ import annotations

import re
from functools import cache
from itertools import islice

from py3langid.langid import MODEL_FILE, LanguageIdentifier

MIN_WORDS = 20
"""Fewer tell too little: names alone decide then."""
MAX_WORDS = 400
MIN_PROBABILITY = 0.9

_WORD = re.compile(r"[^\W\d_]{1,40}")


def language_of(text: str) -> str | None:
    """ISO 639-1 code, e.g. "en", of the text's first words. None for too few words or a doubtful answer."""
    words = [found[0] for found in islice(_WORD.finditer(text), MAX_WORDS)]
    if len(words) < MIN_WORDS:
        return None
    language, probability = _identifier().classify(" ".join(words).lower())
    return str(language) if probability >= MIN_PROBABILITY else None


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
