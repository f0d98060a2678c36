"""`levelfield diff` and `levelfield gate`: words in, exit codes out. The work is in `analysis/change`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cluster.results_commands import OneTask

change_app = typer.Typer()


@change_app.command(epilog="Example: `levelfield diff results/main-… results/branch-… --markdown diff.md`")
def diff(
    base: Annotated[Path, typer.Argument(help="An experiment's folder, or a CSV of runs.")],
    head: Annotated[Path, typer.Argument(help="The one to hold against it.")],
    json_out: Annotated[Path | None, typer.Option("--json", help="Also write it all to this file.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Also write it as Markdown to this file.")] = None,
    task: OneTask = None,
) -> None:
    """What changed between two experiments: how they were made, and what they found.

    Whether they may be compared, and per framework the change in latency, tokens, quality and failures on
    the items that both have, with interval, test and noise floor. Which reports are byte-identical is told.
    """
    from analysis.change.command import diff_command

    diff_command(base, head, json_out, markdown, Console(), task=task)


@change_app.command(
    epilog="Example: `levelfield gate results/main-… results/branch-… --metric tokens --margin 5%`, or, with "
    "two versions in one plan, `levelfield gate results/versions-… --base langgraph==1.1.* --head langgraph`"
)
def gate(
    base: Annotated[Path, typer.Argument(help="The experiment's folder before the change.")],
    head: Annotated[Path | None, typer.Argument(help="After it; none: both are in one folder.")] = None,
    *,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="tokens (the default), latency_s, framework_s, quality, failures or import_s; "
            "repeatable; with a margin of its own as latency_s=10%."
        ),
    ] = None,
    margin: Annotated[str, typer.Option(help="How much worse a metric may be.")] = "5%",
    framework: Annotated[
        list[str] | None, typer.Option(help="Gate this one; repeatable; default: all that both have.")
    ] = None,
    base_name: Annotated[
        str | None,
        typer.Option("--base", help="A framework of BASE, as plans name it, to hold --head against."),
    ] = None,
    head_name: Annotated[str | None, typer.Option("--head", help="Such as another version of it.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit file.")] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Add a summary to this file, such as $GITHUB_STEP_SUMMARY.")
    ] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write every number to this file.")] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Exit status 3 where the data leave open whether anything got worse."),
    ] = False,
    task: OneTask = None,
) -> None:
    """For a framework's CI: exit status 1 if the data show HEAD to be worse than BASE beyond the margin.

    Each item counts once, however often it was run. It takes at least 5 items, and a framework that the plan
    runs against itself (`aa`). What the data leave open is told apart from "no regression", and does not fail
    unless --strict.
    """
    from analysis.change.command import gate_command, wanted_of

    wanted = wanted_of(metric or ["tokens"], margin, framework or [], base_name, head_name)
    raise typer.Exit(
        gate_command(
            base,
            head,
            wanted,
            Console(),
            junit_out=junit,
            json_out=json_out,
            markdown=markdown,
            strict=strict,
            task=task,
        )
    )
