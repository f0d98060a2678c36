"""What an index says of itself: `manifest.json` in its folder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import Field

from shared.errors import IndexUnusable
from shared.record_files import write_whole
from shared.strict import Strict

MANIFEST = "manifest.json"
LOCK = "lock"
"""Made before the manifest: who searches holds it shared, who writes alone."""
SCHEMA = 1


class IndexedFile(Strict):
    sha256: str
    pages: int | None
    """None for kinds of files that have no pages."""
    passages: int


class IndexManifest(Strict):
    schema_version: int = SCHEMA
    name: str
    folder: str
    """Whose documents these are."""
    python: str
    """The interpreter of the environment that made it, which also searches it."""
    made_with: dict[str, Any]
    """What decides passages and vectors; an index made with anything else is made again as a whole."""
    files: dict[str, IndexedFile] = Field(default_factory=dict)
    skipped: dict[str, str] = Field(default_factory=dict)
    """File or folder -> why it is not in the index."""
    unread: dict[str, str] = Field(default_factory=dict)
    """Of those that could not be read, the SHA-256: as long as it stays, they are not tried again."""
    complete: bool = False
    """False while it is being made, and after that was broken off."""

    @property
    def passages(self) -> int:
        return sum(file.passages for file in self.files.values())

    @property
    def fingerprint(self) -> str:
        """Of all that can change an answer of the index: not of where it is, nor of what was skipped."""
        decides = {"made_with": self.made_with, "files": {n: f.sha256 for n, f in self.files.items()}}
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def read_manifest(index: Path) -> IndexManifest | None:
    """None when there is no index. Raises IndexUnusable for one that cannot be read."""
    try:
        found = json.loads((index / MANIFEST).read_text(encoding="utf-8"))
        if isinstance(found, dict) and found.get("schema_version", 0) > SCHEMA:
            raise IndexUnusable(f"The index {index} was made by a newer Levelfield: use that one.")
        return IndexManifest.model_validate(found)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise IndexUnusable(
            f"The index {index} cannot be read ({type(error).__name__} in {MANIFEST}). Remove that folder, "
            "then `levelfield index FOLDER` makes it again."
        ) from None


def write_manifest(index: Path, manifest: IndexManifest) -> None:
    write_whole(index / MANIFEST, manifest.model_dump_json(indent=1).encode())
