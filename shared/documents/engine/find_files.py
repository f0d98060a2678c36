"""Which files of a folder are read, and which are left out and why."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SUFFIXES = (".pdf", ".md", ".markdown", ".txt", ".docx")


@dataclass
class FoundFiles:
    files: list[str] = field(default_factory=list)
    """Below the folder, with slashes, in order."""
    skipped: dict[str, str] = field(default_factory=dict)


def find_files(folder: Path, max_file_bytes: int) -> FoundFiles:
    """Hidden files and folders are passed over without a word, and no symbolic link is followed."""
    found = FoundFiles()

    def unreadable(error: OSError) -> None:
        path = Path(error.filename or folder)
        found.skipped[_below(folder, path)] = f"cannot be read: {error.strerror or error}"

    for parent, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if (path := Path(parent, name)).is_symlink():
                found.skipped[_below(folder, path)] = "a symbolic link to a folder, which is not followed"
        for path in _visible(parent, names):
            why = _why_not(path, max_file_bytes)
            if why:
                found.skipped[_below(folder, path)] = why
            else:
                found.files.append(_below(folder, path))
    found.files.sort()
    return found


def _visible(parent: str, names: list[str]) -> Iterator[Path]:
    yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))


def _why_not(path: Path, max_file_bytes: int) -> str | None:
    try:
        state = path.lstat()
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    if stat.S_ISLNK(state.st_mode):
        return "a symbolic link, which is not followed"
    if not stat.S_ISREG(state.st_mode):
        return "no ordinary file"
    if path.suffix.lower() not in SUFFIXES:
        return f"not a kind that is read ({', '.join(SUFFIXES)})"
    if state.st_size > max_file_bytes:
        return f"{state.st_size / 1e6:,.0f} MB, above the bound of {max_file_bytes / 1e6:,.0f} MB"
    return None


def _below(folder: Path, path: Path) -> str:
    # A name that is no UTF-8 could be neither stored nor shown.
    return str(path.relative_to(folder)).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
