"""How alike reports on one item are: the Jaccard index of their word 5-grams (w-shingling, Broder 1997).

Byte-identical texts of one framework on one item are one text. The number of comparisons is bounded by
`MOST_COMPARISONS`: only the first different texts of each framework and item count, then the first items.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import combinations, combinations_with_replacement, islice, product
from statistics import fmean

from analysis.known_reports import KnownReport
from analysis.texts_result import Alike

SHINGLE_WORDS = 5
MOST_COMPARISONS = 50_000
MOST_TEXTS = 5
"""Per framework and item."""
MOST_WORDS = 20_000
"""Of a text: twenty-five times an 800-word report."""

Shingles = frozenset[tuple[str, ...]]

_WORD = re.compile(r"\w{1,64}")


def measure_similarity(reports: list[KnownReport]) -> tuple[list[Alike], int, int]:
    """Each pair of frameworks, itself included; texts per framework and item; and items compared."""
    by_item = _distinct_texts(reports)
    subjects = sorted({subject for texts in by_item.values() for subject in texts})
    texts_per_item, items = bounds(len(by_item), len(subjects))
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for texts in islice(by_item.values(), items):
        shingles = {
            name: [shingles_of(text) for text in all_of[:texts_per_item]] for name, all_of in texts.items()
        }
        for a, b in combinations_with_replacement(sorted(shingles), 2):
            pairs = combinations(shingles[a], 2) if a == b else product(shingles[a], shingles[b])
            values = [jaccard(one, other) for one, other in pairs]
            if values:
                found[a, b].append(fmean(values))
    alike = [
        Alike(a=a, b=b, similarity=fmean(means), items=len(means)) for (a, b), means in sorted(found.items())
    ]
    return alike, texts_per_item, min(items, len(by_item))


def bounds(items: int, subjects: int) -> tuple[int, int]:
    """Texts per framework and item, and items, so that no more than MOST_COMPARISONS are made."""
    pairs = max(1, subjects * (subjects + 1) // 2)
    for texts in range(MOST_TEXTS, 1, -1):
        if pairs * texts**2 * items <= MOST_COMPARISONS:
            return texts, items
    return 1, min(items, max(1, MOST_COMPARISONS // pairs))


def shingles_of(text: str) -> Shingles:
    """Runs of five words in lower case; a shorter text is one run."""
    words = [found[0] for found in islice(_WORD.finditer(text.lower()), MOST_WORDS)]
    if not words:
        return frozenset()
    return frozenset(zip(*(words[start:] for start in range(SHINGLE_WORDS)), strict=False)) or frozenset(
        {tuple(words)}
    )


def jaccard(one: Shingles, other: Shingles) -> float:
    """Two texts without words are the same."""
    shared = len(one & other)
    union = len(one) + len(other) - shared
    return shared / union if union else 1.0


def _distinct_texts(reports: list[KnownReport]) -> dict[str, dict[str, list[str]]]:
    """Item -> framework -> its different texts, in the order of iterations."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    for report in reports:
        found.setdefault(report.item, {}).setdefault(report.subject, {})[report.text] = None
    return {
        item: {subject: list(texts) for subject, texts in by_subject.items()}
        for item, by_subject in found.items()
    }
