"""The commands that work on finished results: words in, exit codes out. The work is done elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

results_app = typer.Typer()

Folder = Annotated[Path, typer.Argument(help="An experiment's folder, as `levelfield run` printed it.")]


@results_app.command(epilog="Example: `levelfield report results/full-…`")
def report(folder: Folder) -> None:
    """Write runs.csv and report.html again from the records."""
    from cluster.commands import report_command

    report_command(folder, console=Console())


@results_app.command(epilog="Example: `levelfield fairness results/full-… --json fairness.json --strict`")
def fairness(
    folder: Folder,
    json_out: Annotated[Path | None, typer.Option("--json", help="Also write it all to this file.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit status 1 if there is a violation.")] = False,
) -> None:
    """Whether every framework was treated alike: what each put on the wire, held against the plan.

    Requests side by side, parameters, hidden calls, retries and framing. A violation of the five rules is
    shown and counted, never repaired; without --strict the exit status is 0 all the same.
    """
    from analysis.fairness.command import fairness_command

    raise typer.Exit(fairness_command(folder, json_out, Console(), strict=strict))
