"""The command line: words in, exit codes out. The work is done elsewhere."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cluster.change_commands import change_app
from cluster.default_command import DefaultCommand
from cluster.documents_commands import documents_app
from cluster.item_commands import item_app
from cluster.results_commands import Folder, results_app
from cluster.task_commands import task_app
from shared.errors import LevelfieldError

app = typer.Typer(
    help="Compare agent frameworks fairly: same task, same model, metered at the wire.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)
envs_app = typer.Typer(help="The frameworks' locked environments.", no_args_is_help=True)
app.add_typer(envs_app, name="envs")
app.add_typer(results_app)
app.add_typer(change_app)
app.add_typer(task_app, name="task")
app.add_typer(item_app, name="item")
app.add_typer(documents_app)
judge_app = typer.Typer(
    cls=DefaultCommand,
    help="Judge an experiment's reports, or audit its judge.\n\n`levelfield judge DIR` is short for "
    "`levelfield judge reports DIR`.",
    epilog="Example: `levelfield judge results/full-… --model openai:gpt-4o`, then "
    "`levelfield judge audit results/full-… --model openai:gpt-4o`",
    no_args_is_help=True,
)
app.add_typer(judge_app, name="judge")

INTERRUPTED = 130
"""Exit code: 128 and the number of SIGINT, as shells have it."""

DEFAULT_PLAN = Path("plans/quick.yaml")


@app.command(epilog="Example: `levelfield run plans/full.yaml --model ollama:qwen3:14b`")
def run(
    plan: Annotated[Path, typer.Argument(help="What to compare.")] = DEFAULT_PLAN,
    *,
    out: Annotated[Path | None, typer.Option(help="Results folder; default: results/EXPERIMENT.")] = None,
    model: Annotated[str | None, typer.Option(help="Instead of the plan's or settings' llm_model.")] = None,
    judge: Annotated[
        str | None, typer.Option(help="Another model as the judge; several with commas between.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="A new folder, although one is there.")] = False,
    extend: Annotated[
        Path | None, typer.Option(help="Add this plan's new runs to the experiment in this folder.")
    ] = None,
) -> None:
    """Run a plan, judge its reports and write report.html.

    Interrupted? The same command goes on where it stopped. Ctrl-C once finishes the run in flight and keeps
    everything; twice stops at once. With more items, frameworks, arms or iterations than the experiment in
    --extend has, only what is new is run.
    """
    from cluster.commands import run_command

    raise typer.Exit(run_command(plan, out, model, judge, fresh=fresh, extend=extend, console=Console()))


@app.command(
    epilog="Example: `levelfield status results/quick-llamacpp-smollm2-135m-1a2b3c`, and, of a cluster's "
    "jobs, `levelfield status http://127.0.0.1:8265`"
)
def status(
    where: Annotated[
        str, typer.Argument(help="An experiment's folder, or the address of a Ray cluster's dashboard.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """How far an experiment is: runs done, left and failed, verdicts. Of a cluster: how far its jobs are."""
    from cluster.job_status import is_address, jobs_table, read_jobs
    from cluster.status import read_status, status_table

    found = read_jobs(where) if is_address(where) else read_status(Path(where))
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        Console().print(jobs_table(found) if isinstance(found, list) else status_table(found))


@judge_app.command("reports", epilog="Example: `levelfield judge results/full-… --model openai:gpt-4o`")
def judge(
    folder: Folder,
    model: Annotated[
        str | None, typer.Option(help="The judge, or several with commas between; default: as planned.")
    ] = None,
    repeats: Annotated[int | None, typer.Option(min=1, help="Verdicts per text and judge.")] = None,
    pairs: Annotated[
        bool | None, typer.Option("--pairs/--no-pairs", help="Also ask which of two reports is better.")
    ] = None,
) -> None:
    """Judge what has no verdict yet, without running any framework, and write the report again."""
    from cluster.commands import judge_command

    raise typer.Exit(judge_command(folder, model, Console(), repeats=repeats, pairs=pairs))


@app.command(epilog="Example: `levelfield rate results/full-… --rater Ann --rater Bob`")
def rate(
    folder: Folder,
    rater: Annotated[list[str] | None, typer.Option(help="Print a link for this name; repeatable.")] = None,
    *,
    pairs: Annotated[bool, typer.Option("--pairs", help="Which of two reports is better.")] = False,
    port: Annotated[int, typer.Option(help="Of 127.0.0.1; 0: a free one.", min=0, max=65535)] = 0,
    open_page: Annotated[bool, typer.Option("--open", help="Open the first link in a browser.")] = False,
    export_to: Annotated[
        Path | None, typer.Option("--export", help="Write all ratings as CSV; with --pairs, all comparisons.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Write each --rater's reports as CSV to fill in.")
    ] = None,
    import_from: Annotated[
        Path | None, typer.Option("--import", help="Take in what --export or --sheet wrote.")
    ] = None,
) -> None:
    """Let people rate the reports on a page of this machine, without knowing whose they are.

    Each answer is on disk before the next report is shown. Ctrl-C ends it; the same command goes on. With
    --export, --sheet or --import it works on a file and serves no page.
    """
    from cluster.rate import RateRequest, rate_command

    wanted = RateRequest(tuple(rater or ()), pairs, port, open_page, export_to, sheet, import_from)
    rate_command(folder, wanted, Console())


@judge_app.command("audit", epilog="Example: `levelfield judge audit results/full-… --json audit.json`")
def judge_audit(
    folder: Folder,
    model: Annotated[
        str | None, typer.Option(help="The judge, or several with commas between; default: as planned.")
    ] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Also write it all to this file.")] = None,
    reports: Annotated[
        int, typer.Option(min=1, help="Distinct reports to ask about, at most; at least 6 say something.")
    ] = 12,
    repeats: Annotated[
        int, typer.Option(min=1, help="How often each report is shown undamaged: from 2 on, noise is known.")
    ] = 2,
) -> None:
    """Show the judge real reports and copies with planted defects: what can it tell, and what sways it?

    Sections go missing, figures are altered, statements invented, paragraphs swapped, padding and orders to
    the judge added. No framework is run. Interrupted? The same command goes on where it stopped.
    """
    from cluster.audit_command import audit_command

    raise typer.Exit(audit_command(folder, model, json_out, Console(), reports=reports, repeats=repeats))


@app.command(epilog="Example: `levelfield spans results/full-… --endpoint http://127.0.0.1:4318`")
def spans(
    folder: Folder,
    endpoint: Annotated[
        str | None, typer.Option(help="OTLP over HTTP; default: OTEL_EXPORTER_OTLP_ENDPOINT.")
    ] = None,
) -> None:
    """Send an experiment's runs as traces: to MLflow, an OpenTelemetry collector, or what else takes OTLP.

    Headers, such as a viewer's key, come from OTEL_EXPORTER_OTLP_HEADERS. Prompts and answers are left out,
    unless LEVELFIELD_TRACE_CONTENT=true.
    """
    from cluster.commands import spans_command

    raise typer.Exit(spans_command(folder, endpoint, console=Console()))


@app.command(epilog="Example: `levelfield doctor`")
def doctor() -> None:
    """What is here, what is missing, and the command that mends it."""
    from cluster.doctor import examine

    console = Console()
    table = Table("", "", "", "To mend it", box=None, pad_edge=False)
    findings = examine()
    for finding in findings:
        mark = Text("ok", "green") if finding.ok else Text("--", "yellow" if finding.optional else "red")
        table.add_row(
            mark, finding.what, Text(finding.found, overflow="fold"), Text(finding.cure, overflow="fold")
        )
    console.print(table)
    raise typer.Exit(int(any(not finding.ok and not finding.optional for finding in findings)))


@envs_app.command("build", epilog="Example: `levelfield envs build crewai`")
def envs_build(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Environments, or a framework in a version, as crewai==1.14.*; default: all."),
    ] = None,
) -> None:
    """Build environments now rather than at the first run."""
    from cluster.commands import build_command

    raise typer.Exit(build_command(names or [], console=Console()))


@envs_app.command("list", epilog="Example: `levelfield envs list`")
def envs_list() -> None:
    """Which environments are built, where, and how large they are."""
    from runtime_envs.build import available

    table = Table("Environment", "Kind", "Built", "MB", "Folder", box=None, pad_edge=False)
    for state in available():
        size = f"{state.size_bytes / 1e6:,.0f}" if state.built else ""
        table.add_row(state.name, state.kind, "yes" if state.built else "no", size, str(state.path))
    Console().print(table)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; the user's mistakes exit with 2, ours with 1, none with a traceback."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        app(args=given, standalone_mode=True)
    except LevelfieldError as error:
        from shared.foreign_text import harmless  # an error may quote a server or its log

        Console(stderr=True).print(Text(harmless(f"Error: {error}"), style="red"), highlight=False)
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code != INTERRUPTED:  # which is what Typer makes of a KeyboardInterrupt
            raise
        Console(stderr=True).print("Stopped. What was complete is kept; the same command goes on.")
        _exit_now(INTERRUPTED)
    except Exception as error:
        if os.environ.get("LEVELFIELD_DEBUG"):
            raise
        Console(stderr=True).print(
            Text(f"Internal error: {type(error).__name__}: {error}", style="red"),
            Text("LEVELFIELD_DEBUG=1 shows where. What was complete is kept."),
            highlight=False,
        )
        sys.exit(1)


def _exit_now(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads that wait for Ray must not keep a stopped command alive


def command_names() -> set[str]:
    registered: list[Any] = [*app.registered_commands, *results_app.registered_commands]
    registered += [*change_app.registered_commands, *documents_app.registered_commands]
    groups = {group.name for group in app.registered_groups if group.name}
    return {command.name or command.callback.__name__ for command in registered} | groups
