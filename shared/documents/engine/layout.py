"""What is where in an index's folder, who may use it now, and what decides its contents."""

from __future__ import annotations

import fcntl
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

from shared.documents.engine.embed import MAX_TOKENS, embedder_digest
from shared.documents.engine.split_pages import OVERLAP_TOKENS, PASSAGE_TOKENS
from shared.documents.index_manifest import LOCK
from shared.errors import IndexUnusable

VECTORS, KEYWORDS = "vectors", "keywords"
LIBRARIES = ("bm25s", "chromadb", "pypdf", "python-docx", "semantic-text-splitter")


def made_with() -> dict[str, Any]:
    return {
        "embedder_sha256": embedder_digest(),
        "max_tokens": MAX_TOKENS,
        "passage_tokens": PASSAGE_TOKENS,
        "overlap_tokens": OVERLAP_TOKENS,
        "titled": True,
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def hold(index: Path, *, alone: bool) -> int:
    """Until this process ends or closes what is returned: many may search, or one may write."""
    handle = os.open(index / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        who = "searched or written" if alone else "written"
        raise IndexUnusable(
            f"The index {index} is being {who} by another process: wait for its end."
        ) from None
    return handle
