"""The same passages by their words: BM25, made again as a whole whenever a passage changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bm25s

IDS = "ids.json"


class Keywords:
    def __init__(self, ids: list[str], index: Any) -> None:
        self._ids, self._index = ids, index

    @classmethod
    def load(cls, folder: Path) -> Keywords:
        ids = json.loads((folder / IDS).read_text(encoding="utf-8"))
        return cls(ids, bm25s.BM25.load(str(folder), show_progress=False))

    def best(self, query: str, most: int) -> dict[str, float]:
        """Id -> score above 0, the best first."""
        tokens = _tokens([query])
        known = [word for word in tokens[0] if word in self._index.vocab_dict]
        if not known:
            return {}
        rows, scores = self._index.retrieve(
            [known], k=min(most, len(self._ids)), show_progress=False, n_threads=1
        )
        found = zip(rows[0], scores[0], strict=True)
        return {self._ids[int(row)]: float(score) for row, score in found if score > 0}


def write_keywords(folder: Path, texts: Iterable[tuple[str, str]]) -> None:
    """`texts`: id and text of each passage."""
    rows = list(texts)
    index = bm25s.BM25()
    index.index(_tokens([text for _, text in rows]), show_progress=False)
    shutil.rmtree(folder, ignore_errors=True)
    index.save(str(folder), show_progress=False)
    (folder / IDS).write_text(json.dumps([one for one, _ in rows]), encoding="utf-8")


def _tokens(texts: list[str]) -> list[list[str]]:
    # No list of stop words: their weight is near nothing in any language, and "it" or "who" may be a name.
    found: list[list[str]] = bm25s.tokenize(texts, stopwords=[], return_ids=False, show_progress=False)
    return found
