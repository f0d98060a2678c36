"""Passages and their vectors, in a chromadb of the index's own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chromadb
from chromadb.config import Settings

from shared.documents.engine.embed import Vectors
from shared.documents.passage import Passage

COLLECTION = "passages"
NO_PAGE = 0
"""Chroma keeps no None."""
PAGE_OF_PASSAGES = 5000
"""Fetched at once, which bounds memory."""


@dataclass(frozen=True, slots=True)
class Titled:
    """A passage on its way into the store."""

    passage: Passage
    number: int
    """Within its file, from 0."""
    title: str
    """Of its document, see `split_pages.title_of`."""

    @property
    def searched(self) -> str:
        return titled(self.title, self.passage.text)


class PassageStore:
    def __init__(self, folder: Path) -> None:
        # Vectors come with each call: no embedding function, which would be downloaded.
        client = chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))
        self._collection: Any = client.get_or_create_collection(
            COLLECTION, embedding_function=None, configuration={"hnsw": {"space": "cosine", "ef_search": 200}}
        )
        self._most_at_once = client.get_max_batch_size()

    def __len__(self) -> int:
        return int(self._collection.count())

    def add(self, passages: Sequence[Titled], vectors: Vectors) -> None:
        for start in range(0, len(passages), self._most_at_once):
            part = slice(start, start + self._most_at_once)
            self._collection.add(
                ids=[_id(one) for one in passages[part]],
                embeddings=vectors[part],
                documents=[one.passage.text for one in passages[part]],
                metadatas=[_metadata(one) for one in passages[part]],
            )

    def remove(self, file: str) -> None:
        self._collection.delete(where={"file": file})

    def files(self) -> set[str]:
        return {str(row["file"]) for rows in self._pages() for row in rows["metadatas"]}

    def texts(self) -> Iterator[tuple[str, str]]:
        """Id and text of every passage, with its title, in the order of ids."""
        rows = [
            (one, titled(metadata["title"], text))
            for page in self._pages()
            for one, text, metadata in zip(page["ids"], page["documents"], page["metadatas"], strict=True)
        ]
        yield from sorted(rows)

    def nearest(self, vector: Vectors, most: int) -> dict[str, float]:
        """Id -> cosine, the nearest first."""
        found = self._collection.query(query_embeddings=vector, n_results=most, include=["distances"])
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return {str(one): 1 - float(distance) for one, distance in pairs}

    def passages(self, ids: Sequence[str]) -> list[Passage]:
        """In the order of `ids`."""
        found = self._collection.get(ids=list(ids), include=["documents", "metadatas"])
        rows = zip(found["ids"], found["documents"], found["metadatas"], strict=True)
        by_id = {one: Passage(text, row["file"], row["page"] or None) for one, text, row in rows}
        return [by_id[one] for one in ids]

    def _pages(self) -> Iterator[Any]:
        for start in range(0, len(self), PAGE_OF_PASSAGES):
            yield self._collection.get(
                limit=PAGE_OF_PASSAGES, offset=start, include=["documents", "metadatas"]
            )


def titled(title: str, text: str) -> str:
    """What is embedded, and what is searched for words."""
    return f"{title}\n{text}"


def _id(one: Titled) -> str:
    return f"{hashlib.sha256(one.passage.file.encode()).hexdigest()[:16]}-{one.number:06}"


def _metadata(one: Titled) -> dict[str, Any]:
    return {"file": one.passage.file, "page": one.passage.page or NO_PAGE, "title": one.title}
