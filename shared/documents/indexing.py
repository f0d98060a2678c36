"""Have a folder indexed, and go on without the documents that their reader cannot cope with."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.documents.engine_process import VARIABLES, EngineProcess
from shared.documents.index_manifest import IndexManifest, read_manifest
from shared.errors import IndexUnusable, InternalError, NodeFailed

READ_TIMEOUT_S = 120.0
"""For the text of one document. A PDF of 1,000 pages takes about half of it here."""
STEP_TIMEOUT_S = 1800.0
"""For a step that grows with the whole index, such as its keywords."""
MAX_FILE_BYTES = 50_000_000
"""Of one document, unless the user says otherwise. Text above this is hardly what a person wrote."""

EXAMPLE_TIMEOUT_S = 120.0

Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Counts:
    changed: int
    same: int
    gone: int


@dataclass(frozen=True, slots=True)
class Indexed:
    manifest: IndexManifest
    counts: Counts


def index_folder(
    python: Path,
    documents: Path,
    index: Path,
    on_step: Callable[[Step], None] = lambda _: None,
    *,
    max_file_bytes: int = MAX_FILE_BYTES,
    read_timeout_s: float = READ_TIMEOUT_S,
) -> Indexed:
    """Bring the index up to what is in the folder.

    Args:
        python: The interpreter of the environment `documents`.
        documents: Its files are only read.
        index: Its folder, made where it is not there.
        on_step: Told of each step, see `shared.documents.engine.make_index`.
        max_file_bytes: Larger files are skipped.
        read_timeout_s: For one document; one that takes longer is skipped.

    Raises:
        IndexUnusable: No such folder, nothing in it that can be read, or the index is another's or in use.
    """
    documents = checked_folder(documents)
    _make_place(index)
    given_up: dict[str, str] = {}
    while True:
        engine = EngineProcess(python, index)
        engine.start()
        try:
            wanted = {"folder": str(documents), "max_file_bytes": max_file_bytes, "given_up": given_up}
            engine.ask({"do": "index", **wanted}, STEP_TIMEOUT_S)
            counts = _take_steps(engine, on_step, read_timeout_s)
        except _GivenUp as lost:
            given_up[lost.file] = lost.why
            continue
        finally:
            engine.stop()
        manifest = read_manifest(index)
        if manifest is None:
            raise InternalError(f"The index {index} was removed while it was being made.")
        return Indexed(manifest, counts)


def checked_folder(documents: Path) -> Path:
    found = documents.expanduser()
    if not found.exists():
        raise IndexUnusable(f"There is no folder {documents}.")
    if not found.is_dir():
        raise IndexUnusable(f"{documents} is a file: name the folder that it is in.")
    if not os.access(found, os.R_OK | os.X_OK):
        raise IndexUnusable(f"The folder {documents} cannot be read: no permission.")
    return found.resolve()


def write_example(python: Path, folder: Path) -> None:
    """The documents that Levelfield ships, into a folder. `python` as for `index_folder`."""
    command = [str(python), "-m", "shared.documents.engine.write_example", str(folder)]
    variables = {**os.environ, **VARIABLES}
    done = subprocess.run(
        command, env=variables, capture_output=True, text=True, timeout=EXAMPLE_TIMEOUT_S, check=False
    )
    if done.returncode:
        raise InternalError(f"The example's documents cannot be written to {folder}: {done.stderr[-500:]}")


class _GivenUp(Exception):
    def __init__(self, file: str, why: str) -> None:
        super().__init__(file)
        self.file, self.why = file, why


def _take_steps(engine: EngineProcess, on_step: Callable[[Step], None], read_timeout_s: float) -> Counts:
    step: Step = {}
    counts = Counts(0, 0, 0)
    while "done" not in step:
        reading = step.get("reading")
        try:
            step = engine.ask({"do": "step"}, read_timeout_s if reading else STEP_TIMEOUT_S)
        except NodeFailed:
            if reading is None:
                raise
            raise _GivenUp(reading, f"its reader ended, or took more than {read_timeout_s:g} s") from None
        if "changed" in step:
            counts = Counts(step["changed"], step["same"], step["gone"])
        on_step(step)
    return counts


def _make_place(index: Path) -> None:
    try:
        index.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise IndexUnusable(
            f"The index cannot be written to {index}: {error.strerror or error}. Name another folder with "
            "--name, or set LEVELFIELD_CACHE."
        ) from None
