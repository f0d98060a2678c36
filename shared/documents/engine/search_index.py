"""The passages that answer a question best: by meaning and by words together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shared.documents.engine.embed import Embedder
from shared.documents.engine.keywords import Keywords
from shared.documents.engine.layout import KEYWORDS, VECTORS
from shared.documents.engine.vectors import PassageStore
from shared.documents.passage import Passage, Way

CANDIDATES = 50
"""That each way hands in."""
MEANING = 0.7
"""Weight of the vectors against 0.3 for the words. On the tuned questions 0.6 to 0.75 are alike, equal
weights and reciprocal ranks worse: words bring in much that merely sounds alike (docs/documents.md)."""
MAX_QUERY_CHARS = 1000


class Search:
    def __init__(self, index: Path) -> None:
        self._store = PassageStore(index / VECTORS)
        self._keywords = Keywords.load(index / KEYWORDS)
        self._embed = Embedder()

    def __call__(self, query: str, most: int, way: Way) -> list[Passage]:
        """The best first."""
        query = query[:MAX_QUERY_CHARS]
        cosines: dict[str, float] = {}
        scores: dict[str, float] = {}
        if way != "bm25":
            cosines = self._store.nearest(self._embed([query]), min(CANDIDATES, len(self._store)))
        if way != "dense":
            scores = self._keywords.best(query, CANDIDATES)
        chosen = fused(cosines, scores)[:most]
        return self._store.passages(chosen) if chosen else []


def fused(cosines: Mapping[str, float], scores: Mapping[str, float]) -> list[str]:
    """Best first: the weighted sum of both, each brought to the range from 0 to 1 among its candidates."""
    meaning, words = _between_0_and_1(cosines), _between_0_and_1(scores)
    points = {
        one: MEANING * meaning.get(one, 0.0) + (1 - MEANING) * words.get(one, 0.0)
        for one in dict.fromkeys([*cosines, *scores])
    }
    return sorted(points, key=lambda one: -points[one])


def _between_0_and_1(found: Mapping[str, float]) -> dict[str, float]:
    low, high = min(found.values(), default=0.0), max(found.values(), default=0.0)
    return {one: (value - low) / (high - low) if high > low else 1.0 for one, value in found.items()}
