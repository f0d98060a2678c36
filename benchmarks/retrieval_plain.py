"""A plain chromadb script, as one writes it first: read, split, add, file by file. Runs in `documents`.

Readers, splitter and embedding model are ours, so that what differs is the index: here without digests,
without keywords, without a manifest.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import chromadb
from chromadb.config import Settings

from benchmarks.child import Message, answer_lines
from shared.documents.engine.embed import Embedder
from shared.documents.engine.read_document import read_document
from shared.documents.engine.split_pages import Splitter


def begin(_: Message) -> Callable[[Message], Message]:
    def answer(message: Message) -> Message:
        return {"passages": index(Path(message["documents"]), Path(message["index"]))}

    return answer


def index(documents: Path, folder: Path) -> int:
    client = chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))
    collection: Any = client.create_collection("passages", embedding_function=None)
    splitter, embed = Splitter(), Embedder()
    for path in sorted(documents.iterdir()):
        passages = list(splitter.passages(path.name, read_document(path)))
        collection.add(
            ids=[f"{path.name}-{number}" for number in range(len(passages))],
            embeddings=embed([passage.text for passage in passages]),
            documents=[passage.text for passage in passages],
            metadatas=[{"file": passage.file, "page": passage.page or 0} for passage in passages],
        )
    return int(collection.count())


if __name__ == "__main__":
    answer_lines(begin)
