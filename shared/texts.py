"""Long texts, each kept once, compressed, under its digest: copying two experiments' folders merges them."""

from __future__ import annotations

import zlib
from functools import lru_cache
from pathlib import Path

from shared.errors import CorruptRecord
from shared.packing import text_digest
from shared.record_files import corrupt, make_folder, write_whole

RECENT = 256
"""Texts that are kept in memory: instructions, facts and earlier answers come again call after call."""


class Texts:
    """The folder `texts/` of an experiment: `ab/abcd....z`, zlib."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.get = lru_cache(RECENT)(self._read)
        """Digest -> text. Raises CorruptRecord when it is missing or is not what its name says."""

    def put(self, digest: str, text: str) -> None:
        path = self._path(digest)
        if not path.exists():
            make_folder(path.parent)
            write_whole(path, zlib.compress(text.encode()))

    def _read(self, digest: str) -> str:
        path = self._path(digest)
        try:
            text = zlib.decompress(path.read_bytes()).decode()
        except (OSError, zlib.error, UnicodeDecodeError) as error:
            raise CorruptRecord(corrupt(path, f"cannot be read ({error})")) from None
        if text_digest(text) != digest:
            raise CorruptRecord(corrupt(path, "does not match its name"))
        return text

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.z"
