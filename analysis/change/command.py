"""`levelfield diff` and `levelfield gate`: what they do, apart from reading their arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from analysis.change.diff import diff
from analysis.change.gate import gate
from analysis.change.gated_pairs import Wanted
from analysis.change.junit import junit
from analysis.change.result import CHANGE_METRICS, ChangeMetric
from analysis.change.show_diff import diff_markdown, print_diff
from analysis.change.show_gate import gate_markdown, print_gate
from analysis.change.side import read_sides
from shared.errors import UserError
from shared.record_files import make_folder, write_whole
from shared.suggest import unknown_name
from shared.versions import versioned_name

REGRESSION = 1
NOT_TOLD = 3
"""Exit status of --strict where the data leave something open; 2 is a user's mistake."""
_MARGIN = re.compile(r"^(\d+(?:\.\d+)?)\s*%$|^(0?\.\d+|0)$")


def diff_command(
    base: Path,
    head: Path,
    json_out: Path | None,
    markdown: Path | None,
    console: Console,
    *,
    task: str | None = None,
) -> None:
    """Raises UserError: a side is missing, or no table of runs."""
    found = diff(*read_sides(base, head, task))
    print_diff(found, console)
    _write(json_out, f"{found.model_dump_json(indent=2)}\n".encode())
    _write(markdown, diff_markdown(found).encode())


def gate_command(
    base: Path,
    head: Path | None,
    wanted: Wanted,
    console: Console,
    *,
    junit_out: Path | None = None,
    json_out: Path | None = None,
    markdown: Path | None = None,
    strict: bool = False,
    task: str | None = None,
) -> int:
    """The exit code: REGRESSION, or NOT_TOLD when `strict` and something stays open, else 0.

    Raises:
        UserError: A side or a name is missing, or the two were not asked the same.
    """
    found = gate(*read_sides(base, head, task), wanted)
    print_gate(found, console)
    _write(junit_out, junit(found))
    _write(json_out, f"{found.model_dump_json(indent=2)}\n".encode())
    _write(markdown, gate_markdown(found).encode(), append=True)
    if found.having("regression"):
        return REGRESSION
    return NOT_TOLD if strict and found.having("undecided", "not_enough_data") else 0


def wanted_of(
    metrics: Sequence[str],
    margin: str,
    frameworks: Sequence[str] = (),
    base_name: str | None = None,
    head_name: str | None = None,
) -> Wanted:
    """From the command line: "tokens" has `margin`, "tokens=5%" its own; versions as plans write them.

    Raises:
        UserError: An unknown metric, a margin that is none, or names that exclude one another.
    """
    margins: dict[ChangeMetric, float] = {}
    for given in metrics:
        name, _, own = given.partition("=")
        known = next((metric for metric in CHANGE_METRICS if metric == name.strip()), None)
        if known is None:
            raise UserError(unknown_name("metric", name, CHANGE_METRICS))
        margins[known] = margin_of(own or margin)
    if frameworks and (base_name or head_name):
        raise UserError("Give --framework, or --base and --head, not both.")
    try:
        names = [versioned_name(name) if name else None for name in (base_name, head_name)]
        return Wanted(margins, tuple(map(versioned_name, frameworks)), *names)
    except ValueError as error:
        raise UserError(f"{error}.") from None


def margin_of(text: str) -> float:
    """Of 5% and of 0.05 alike, 0.05."""
    found = _MARGIN.match(text.strip())
    share = None if not found else float(found[1]) / 100 if found[1] else float(found[2])
    if share is None or share >= 1:
        raise UserError(f'"{text}" is no margin: write, for example, 5% or 0.05, below 100%.')
    return share


def _write(path: Path | None, content: bytes, *, append: bool = False) -> None:
    """`append`: behind what a file has already, as the summary of a CI job wants it."""
    if path is None:
        return
    make_folder(path.absolute().parent)
    before = path.read_bytes() if append and path.exists() else b""
    write_whole(path.absolute(), before + content)
