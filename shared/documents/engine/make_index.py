"""Bring an index up to what is in a folder, in small steps: each says what it did or will do next."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.documents.engine.embed import Embedder
from shared.documents.engine.find_files import find_files
from shared.documents.engine.keywords import write_keywords
from shared.documents.engine.layout import KEYWORDS, VECTORS, hold, made_with
from shared.documents.engine.read_document import Unreadable, read_document
from shared.documents.engine.split_pages import Splitter, title_of
from shared.documents.engine.vectors import PassageStore, Titled
from shared.documents.index_manifest import IndexedFile, IndexManifest, read_manifest, write_manifest
from shared.errors import IndexUnusable

FLUSH_PASSAGES = 128
"""Embedded and stored at once: what a broken-off indexing loses."""

QUOTED_REASONS = 5
"""In the message that nothing can be indexed."""

Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    index: Path
    folder: Path
    max_file_bytes: int
    given_up: dict[str, str] = field(default_factory=dict)
    """Files that ended this process before, or took too long, and why."""


@dataclass
class _Pending:
    """Read and not stored yet."""

    passages: list[Titled] = field(default_factory=list)
    files: dict[str, IndexedFile] = field(default_factory=dict)


class IndexMaker:
    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._lock = hold(wanted.index, alone=True)
        self._manifest = self._as_it_was()
        self._skipped: dict[str, str] = {}
        self._unread: dict[str, str] = {}

    def steps(self) -> Iterator[Step]:
        """Ends with a step `done`. Raises IndexUnusable when nothing in the folder can be read."""
        found = find_files(self._wanted.folder, self._wanted.max_file_bytes)
        self._skipped = dict(found.skipped)
        digests = yield from self._digests(found.files)
        known = self._manifest.files
        for name in self._unreadable(digests):
            self._skipped[name] = self._manifest.skipped[name]
            self._unread[name] = digests.pop(name)
        same = [name for name in digests if name in known and known[name].sha256 == digests[name]]
        changed = [name for name in digests if name not in same]
        gone = set(known) - set(digests)
        if not digests:
            raise self._nothing()
        yield {"changed": len(changed), "same": len(same), "gone": len(gone)}
        if changed or gone or not self._manifest.complete:
            yield from self._update(changed, set(same), digests)
        self._write(complete=True)
        yield {"done": True}

    def _unreadable(self, digests: dict[str, str]) -> list[str]:
        """What was tried before and is as it was then."""
        before = self._manifest
        return [n for n, sha256 in before.unread.items() if n in before.skipped and digests.get(n) == sha256]

    def _as_it_was(self) -> IndexManifest:
        """The manifest to begin with: what another make left is of no use."""
        index, fresh = self._wanted.index, made_with()
        found = read_manifest(index)
        if found is not None and found.folder != str(self._wanted.folder):
            raise IndexUnusable(
                f"The index {index} is of {found.folder}: give this one another name with --name, or remove "
                "that folder."
            )
        if found is None or found.made_with != fresh:
            found = IndexManifest(
                name=index.name, folder=str(self._wanted.folder), python="", made_with=fresh
            )
        # Not resolved: a virtual environment's interpreter is a link to one that lacks its packages.
        return found.model_copy(update={"python": sys.executable})

    def _digests(self, files: list[str]) -> Generator[Step, None, dict[str, str]]:
        digests: dict[str, str] = {}
        for name in files:
            yield {"looking": name, "of": len(files)}
            try:
                with (self._wanted.folder / name).open("rb") as content:
                    digests[name] = hashlib.file_digest(content, "sha256").hexdigest()
            except OSError as error:
                self._skipped[name] = f"cannot be read: {error.strerror or error}"
            if why := self._wanted.given_up.get(name):
                self._skipped[name], self._unread[name] = why, digests.pop(name, "")
        return digests

    def _update(self, changed: list[str], same: set[str], digests: dict[str, str]) -> Iterator[Step]:
        kept = {name: file for name, file in self._manifest.files.items() if name in same}
        self._manifest = self._manifest.model_copy(update={"files": kept})
        self._write(complete=False)
        if not kept:
            shutil.rmtree(self._wanted.index / VECTORS, ignore_errors=True)
        store = PassageStore(self._wanted.index / VECTORS)
        for name in sorted(store.files() - set(kept)):
            store.remove(name)
        yield from self._take_in(store, changed, digests)
        if not len(store):
            raise self._nothing()
        yield {"finishing": len(store)}
        write_keywords(self._wanted.index / KEYWORDS, store.texts())

    def _take_in(self, store: PassageStore, changed: list[str], digests: dict[str, str]) -> Iterator[Step]:
        splitter, embed, pending = Splitter(), Embedder(), _Pending()
        for name in changed:
            yield {"reading": name}
            self._read(name, digests[name], splitter, pending)
            if len(pending.passages) >= FLUSH_PASSAGES:
                yield from self._flush(store, embed, pending)
                pending = _Pending()
        yield from self._flush(store, embed, pending)

    def _read(self, name: str, digest: str, splitter: Splitter, pending: _Pending) -> None:
        try:
            pages = read_document(self._wanted.folder / name)
        except Unreadable as error:
            self._skipped[name], self._unread[name] = str(error), digest
            return
        title = title_of(name, pages)
        passages = [Titled(one, n, title) for n, one in enumerate(splitter.passages(name, pages))]
        pending.passages += passages
        pages_read = pages[-1].number
        pending.files[name] = IndexedFile(sha256=digest, pages=pages_read, passages=len(passages))

    def _flush(self, store: PassageStore, embed: Embedder, pending: _Pending) -> Iterator[Step]:
        for start in range(0, len(pending.passages), FLUSH_PASSAGES):
            part = slice(start, start + FLUSH_PASSAGES)
            yield {"storing": len(pending.passages) - start}
            passages = pending.passages[part]
            store.add(passages, embed([one.searched for one in passages]))
        self._manifest = self._manifest.model_copy(update={"files": self._manifest.files | pending.files})
        self._write(complete=False)

    def _write(self, *, complete: bool) -> None:
        changes = {
            "complete": complete,
            "skipped": dict(sorted(self._skipped.items())),
            "unread": dict(sorted(self._unread.items())),
        }
        self._manifest = self._manifest.model_copy(update=changes)
        write_manifest(self._wanted.index, self._manifest)

    def _nothing(self) -> IndexUnusable:
        """An index of nothing is not left to be found; without a file to index, one that is there stays."""
        if not self._manifest.files:
            shutil.rmtree(self._wanted.index, ignore_errors=True)
        reasons = [f"  {name}: {why}" for name, why in sorted(self._skipped.items())[:QUOTED_REASONS]]
        listed = "\n".join(["", *reasons]) if reasons else " There is no file in it."
        return IndexUnusable(f"Nothing in {self._wanted.folder} can be indexed.{listed}")
