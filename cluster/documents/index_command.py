"""`levelfield index FOLDER`."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from cluster.progress import RunProgress
from runtime_envs.build import build
from shared.cache_root import cache_root
from shared.documents.index_place import EXAMPLE, indexes_root, place_for
from shared.documents.indexing import (
    MAX_FILE_BYTES,
    Indexed,
    Step,
    checked_folder,
    index_folder,
    write_example,
)
from shared.errors import IndexUnusable

LISTED = 20
"""Skipped files named one by one; the manifest has them all."""


def index_command(
    folder: Path | None,
    name: str | None,
    console: Console,
    *,
    max_file_mb: float = MAX_FILE_BYTES / 1e6,
    example: bool = False,
) -> None:
    documents, name = _wanted(folder, name, example=example)
    index = place_for(documents, name)
    progress = RunProgress(console)
    with progress.shown():
        progress.stage("Setting up")
        python = build("documents", on_progress=progress.doing).python
        if example:
            write_example(python, documents)
        shown = _Steps(progress)
        indexed = index_folder(python, documents, index, shown.step, max_file_bytes=round(max_file_mb * 1e6))
    _say(progress, index, indexed)


def _wanted(folder: Path | None, name: str | None, *, example: bool) -> tuple[Path, str | None]:
    """Before an environment is built, which may take minutes."""
    if example:
        if folder is not None or name is not None:
            raise IndexUnusable("--example has its own folder and name: leave yours out.")
        return cache_root() / "example-documents", EXAMPLE
    if folder is None:
        raise IndexUnusable("Which folder? levelfield index ./docs (or --example).")
    return checked_folder(folder), name


class _Steps:
    """The engine's steps as a person sees them."""

    def __init__(self, progress: RunProgress) -> None:
        self._progress = progress
        self._stage = ""

    def step(self, step: Step) -> None:
        if "looking" in step:
            self._begin("Looking at files", step["of"])
            self._progress.doing(step["looking"])
            self._progress.advance()
        elif "changed" in step:
            self._progress.say(
                f"{step['changed']} new or changed, {step['same']} as they were, {step['gone']} gone"
            )
            if step["changed"]:
                self._begin("Reading", step["changed"])
        elif "reading" in step:
            self._progress.doing(step["reading"])
            self._progress.advance()
        elif "finishing" in step:
            self._begin("Indexing words", None)

    def _begin(self, stage: str, total: int | None) -> None:
        if stage != self._stage:
            self._stage = stage
            self._progress.stage(stage, total)


def _say(progress: RunProgress, index: Path, indexed: Indexed) -> None:
    manifest = indexed.manifest
    for file, why in list(manifest.skipped.items())[:LISTED]:
        progress.warn(f"  skipped: {file}: {why}")
    if len(manifest.skipped) > LISTED:
        progress.warn(f"  ... and {len(manifest.skipped) - LISTED} more, all in {index}/manifest.json")
    progress.say(f"{len(manifest.files)} files, {manifest.passages} passages: {index}")
    where = manifest.name if index.parent == indexes_root() else index
    progress.say(f'Ask them: levelfield ask "..." --index {where}')
