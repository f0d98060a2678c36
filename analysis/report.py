"""`python -m analysis.report`: a folder of results, or a CSV of runs, to one HTML file and one JSON file."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from analysis.across.examine import across_tasks
from analysis.across.page import markdown_across, render_across
from analysis.analyse import analyse
from analysis.cost.prices import prices_for
from analysis.fairness.examine import examine_folder
from analysis.pull_request import render_markdown
from analysis.rare_collections import rare_collections
from analysis.read_runs import read_runs, tasks_in
from analysis.render import render_html
from analysis.result import Analysis
from analysis.run_pages.read import read_run_pages
from shared.errors import LevelfieldError, StoreFailed
from shared.foreign_text import harmless
from shared.store import slug

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Written:
    """What a report was made of."""

    report: Path
    tasks: dict[str, Analysis]
    headline: str


def write_reports(
    source: Path,
    out: Path | None = None,
    json_out: Path | None = None,
    *,
    markdown_out: Path | None = None,
    all_runs: bool = False,
) -> Written:
    """The report of `source`: of several tasks one each, and a page with what holds in all of them.

    Args and errors: as `write_report`. The tasks' pages lie beside the report, with the task's name.
    """
    names = tasks_in(source)
    if len(names) < 2:
        path, analysis = write_report(source, out, json_out, markdown_out=markdown_out, all_runs=all_runs)
        return Written(path, dict.fromkeys(names, analysis), analysis.summary.headline)
    report = out or default_report(source)
    slugs = [slug(name) for name in names]
    files = {
        # Names from elsewhere may have nothing that a file's name can have.
        name: report.with_name(f"{report.stem}-{own}{f'-{number}' if slugs.count(own) > 1 else ''}.html")
        for number, (name, own) in enumerate(zip(names, slugs, strict=True), start=1)
    }
    tasks = {name: write_report(source, files[name], task=name, all_runs=all_runs)[1] for name in names}
    across = across_tasks(tasks)
    _write(report, render_across(across, {name: path.name for name, path in files.items()}))
    if json_out is not None:
        _write(json_out, across.model_dump_json(indent=2) + "\n")
    if markdown := markdown_out or _beside(source, report):
        shown = [path.name for path in (report, *files.values(), json_out) if path]
        _write(markdown, markdown_across(across, shown))
    return Written(report, tasks, across.headline)


def write_report(
    source: Path,
    out: Path | None = None,
    json_out: Path | None = None,
    *,
    markdown_out: Path | None = None,
    all_runs: bool = False,
    task: str | None = None,
) -> tuple[Path, Analysis]:
    """Analyse one task of `source`, write its report, and the numbers too when `json_out` is given.

    The short report for a pull request goes to `markdown_out`, or beside the report of a folder. `all_runs`
    puts every single run into the page, however large it gets.

    Raises:
        UserError: `source` is missing, or no table of runs; or its prices.yaml is no table of prices.
        StoreFailed: A file cannot be written.
    """
    report = out or default_report(source)
    with rare_collections():
        runs = read_runs(source, task)
        fairness = examine_folder(source, task, runs.stored)
        analysis = analyse(runs, fairness, prices_for(source))
        pages = read_run_pages(runs, most_characters=None) if all_runs else read_run_pages(runs)
        _write(report, render_html(analysis, pages))
    if json_out is not None:
        _write(json_out, analysis.model_dump_json(indent=2) + "\n")
    if markdown := markdown_out or _beside(source, report):
        files = [path.name for path in (report, json_out) if path]
        _write(markdown, render_markdown(analysis, files))
    return report, analysis


def _beside(source: Path, report: Path) -> Path | None:
    """A table from elsewhere may lie beside a .md of the same name that is somebody's own."""
    return report.with_suffix(".md") if source.is_dir() else None


def default_report(source: Path) -> Path:
    return source / "report.html" if source.is_dir() else source.with_suffix(".html")


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a reader never sees half a report."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise StoreFailed(
            f"{path} cannot be written ({error.strerror}). Free space or name another --out."
        ) from error


@app.command()
def report(
    source: Annotated[Path, typer.Argument(help="A results folder (with runs.csv) or a CSV file of runs.")],
    out: Annotated[
        Path | None, typer.Option(help="The HTML file; default: report.html in the folder.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Also write every number shown to this file.")] = None,
    *,
    all_runs: Annotated[
        bool, typer.Option("--all-runs", help="Every run in full, however large the file gets.")
    ] = False,
    markdown: Annotated[
        Path | None,
        typer.Option(help="The short report for a pull request; default: beside the report of a folder."),
    ] = None,
) -> None:
    """Write the report of an experiment.

    Example: python -m analysis.report results/quick --json results/quick/report.json
    """
    try:
        written = write_reports(source, out, json, markdown_out=markdown, all_runs=all_runs)
    except LevelfieldError as error:
        typer.echo(f"Error: {harmless(str(error))}", err=True)
        raise typer.Exit(error.exit_code) from None
    typer.echo(f"{written.headline}\n{written.report}")


def main() -> None:
    app(prog_name="python -m analysis.report")


if __name__ == "__main__":
    main()
