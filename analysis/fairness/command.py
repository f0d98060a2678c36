"""`levelfield fairness`: what it does, apart from reading its arguments."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from analysis.fairness.examine import examine
from analysis.fairness.terminal import print_fairness
from shared.record_files import make_folder, write_whole
from shared.store import Store


def fairness_command(folder: Path, json_out: Path | None, console: Console, *, strict: bool) -> int:
    """The exit code: 1 when `strict` and there is a violation, else 0.

    Raises:
        ResultsMismatch: `folder` is no experiment, or of a newer Levelfield.
        CorruptRecord: A record does not match its checksum.
        StoreFailed: `json_out` cannot be written.
    """
    fairness = examine(Store.existing(folder))
    print_fairness(fairness, console)
    if json_out is not None:
        make_folder(json_out.absolute().parent)
        write_whole(json_out.absolute(), f"{fairness.model_dump_json(indent=2)}\n".encode())
    return int(strict and bool(fairness.violations))
