"""The passages that answer a question best: by meaning and by words together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shared.documents.engine.embed import Embedder
from shared.documents.engine.keywords import Keywords
from shared.documents.engine.layout import KEYWORDS, VECTORS
from shared.documents.engine.vectors import PassageStore
from shared.documents.passage import Passage

Way = Literal["both", "dense", "bm25"]
CANDIDATES = 50
"""That each way hands in."""
RANK_CONSTANT = 60
"""Of reciprocal rank fusion, as its authors have it (Cormack, Clarke and Buettcher 2009)."""
MAX_QUERY_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Hit:
    passage: Passage
    cosine: float | None
    """None when only the words brought it in."""


class Search:
    def __init__(self, index: Path) -> None:
        self._store = PassageStore(index / VECTORS)
        self._keywords = Keywords.load(index / KEYWORDS)
        self._embed = Embedder()

    def __call__(self, query: str, most: int, way: Way = "both") -> list[Hit]:
        query = query[:MAX_QUERY_CHARS]
        cosines, scores = {}, {}
        if way != "bm25":
            cosines = self._store.nearest(self._embed([query]), min(CANDIDATES, len(self._store)))
        if way != "dense":
            scores = self._keywords.best(query, CANDIDATES)
        chosen = fused(list(cosines), list(scores))[:most]
        found = zip(chosen, self._store.passages(chosen), strict=True) if chosen else ()
        return [Hit(passage, cosines.get(one)) for one, passage in found]


def fused(*rankings: list[str]) -> list[str]:
    """Best first. Of equals the one that comes first in the first ranking."""
    points: dict[str, float] = {}
    for ranking in rankings:
        for rank, one in enumerate(ranking, 1):
            points[one] = points.get(one, 0.0) + 1 / (RANK_CONSTANT + rank)
    return sorted(points, key=lambda one: -points[one])
