"""Where indexes are: folders with a name, outside the documents."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from shared.cache_root import cache_root
from shared.documents.index_manifest import LOCK, MANIFEST, IndexManifest, read_manifest
from shared.errors import IndexUnusable
from shared.suggest import unknown_name

EXAMPLE = "example"
"""Name of the index of the documents that Levelfield ships."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def indexes_root() -> Path:
    return cache_root() / "indexes"


def place_for(documents: Path, given: str | None) -> Path:
    """Where the index of these documents is or will be. `given`: a name, or a path with a slash."""
    if given is None:
        return indexes_root() / default_name(documents)
    if "/" in given:
        place = Path(given).expanduser().absolute()
        if place.resolve().is_relative_to(documents.resolve()):
            raise IndexUnusable(
                f"{given} is inside the documents, and would be indexed itself: name another folder."
            )
        if place.exists() and (not place.is_dir() or (any(place.iterdir()) and not is_index(place))):
            raise IndexUnusable(f"{given} is there and is no index: name an empty folder, or a new one.")
        return place
    if not NAME.fullmatch(given):
        raise IndexUnusable(f"{given!r} is no name for an index: use letters, digits, dots and dashes.")
    return indexes_root() / given


def default_name(documents: Path) -> str:
    """The folder's name, and what keeps apart two folders of the same name."""
    path = documents.resolve()
    plain = re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-")[:40] or "documents"
    return f"{plain}-{hashlib.sha256(str(path).encode()).hexdigest()[:6]}"


def is_index(folder: Path) -> bool:
    return (folder / MANIFEST).is_file() and (folder / LOCK).is_file()


def known_indexes() -> dict[str, Path]:
    """By name, the one that was made last first."""
    made = [path.parent for path in indexes_root().glob(f"*/{MANIFEST}") if is_index(path.parent)]
    return {path.name: path for path in sorted(made, key=lambda path: -(path / MANIFEST).stat().st_mtime_ns)}


def find_index(given: str | None) -> Path:
    """By name or folder; None: the one that was made last. Raises IndexUnusable when there is none."""
    known = known_indexes()
    if given is None:
        if not known:
            raise IndexUnusable(
                "There is no index yet: `levelfield index FOLDER` makes one of your documents."
            )
        return next(iter(known.values()))
    if given in known:
        return known[given]
    if is_index(Path(given).expanduser()):
        return Path(given).expanduser().absolute()
    what = unknown_name("index", given, known) if known else f'There is no index "{given}" here.'
    raise IndexUnusable(f"{what} {_how_to_make(given)}")


def _how_to_make(name: str) -> str:
    if name == EXAMPLE:
        return "`levelfield index --example` makes it."
    return f"`levelfield index FOLDER --name {name}` makes it."


def open_manifest(index: Path) -> IndexManifest:
    """Of an index that can be searched. Raises IndexUnusable."""
    manifest = read_manifest(index)
    if manifest is None:
        raise IndexUnusable(f"There is no index in {index}: `levelfield index FOLDER` makes one.")
    again = f"`levelfield index {manifest.folder} --name {index}`"
    if not manifest.complete:
        raise IndexUnusable(f"The index {index} is not complete: {again} goes on with it.")
    python = Path(manifest.python)
    # It is started: an index from elsewhere may not name a program. Not resolved, since it is a link itself.
    ours = python.is_relative_to(cache_root() / "envs") and ".." not in python.parts
    if not ours or not python.exists():
        raise IndexUnusable(
            f"The index {index} needs the interpreter {manifest.python}, which is gone or was never on this "
            f"machine: {again} builds it and makes the index again where needed."
        )
    return manifest
