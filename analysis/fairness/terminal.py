"""The proof for a terminal: verdict, counts, parameters, the steps in a line each, findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from analysis.fairness.result import Evidence, Fairness, Finding, StepComparison
from analysis.fairness.view import counts_table, group_title, parameters_table, step_title
from analysis.rich_table import rich_table
from analysis.tables import Table


def print_fairness(fairness: Fairness, console: Console) -> None:
    """All text goes out as `Text`, so that no name is taken for markup."""
    console.print(Text(fairness.verdict, style="bold"))
    if not fairness.requests:
        return
    _print_numbers(fairness, console)
    for arm in fairness.arms:
        console.print(Text(f"Messages in the {arm} arm", style="bold"))
        _print_steps([step for step in fairness.steps if step.arm == arm], fairness, console)
    for title, findings in (("Violations", fairness.violations), ("Notes", fairness.notes)):
        if findings:
            console.print(Text(f"{title} ({len(findings)})", style="bold"))
        for finding in findings:
            console.print(_line(finding), soft_wrap=True)


def _print_numbers(fairness: Fairness, console: Console) -> None:
    counts, nowhere = _without_zeros(counts_table(fairness))
    console.print(rich_table(counts))
    if nowhere:
        console.print(Text(f"None anywhere: {', '.join(nowhere)}."), soft_wrap=True)
    parameters, alike = _without_alike(parameters_table(fairness))
    if alike:
        console.print(Text(f"The same from all: {'; '.join(alike)}."), soft_wrap=True)
    if parameters.rows:
        console.print(rich_table(parameters))


def _print_steps(steps: list[StepComparison], fairness: Fairness, console: Console) -> None:
    """A line for each step, and the groups of frameworks where there are several."""
    tasks = len({step.task for step in fairness.steps})
    for step in steps:
        console.print(Text(f"  {step_title(step, tasks)}"), soft_wrap=True)
        if len(step.groups) > 1:
            told = [group_title(group, fairness) for group in step.groups]
            console.print(Text(f"    {' | '.join(told)}"), soft_wrap=True)


def _without_zeros(table: Table) -> tuple[Table, list[str]]:
    """Without the columns that are 0 throughout, which a terminal has no room for; and their names."""
    kept = [
        number for number in range(len(table.columns)) if {row[number].text for row in table.rows} != {"0"}
    ]
    nowhere = [column for number, column in enumerate(table.columns) if number not in kept]
    columns = tuple(table.columns[number] for number in kept)
    rows = [[row[number] for number in kept] for row in table.rows]
    return replace(table, columns=columns, rows=rows), nowhere


def _without_alike(table: Table) -> tuple[Table, list[str]]:
    """Without the rows in which all frameworks have the same; and those rows in a few words each."""
    rows = [row for row in table.rows if len({cell.text for cell in row[1:]}) > 1]
    alike = [f"{row[0].text} {row[1].text}" for row in table.rows if row not in rows]
    return replace(table, rows=rows), alike


def _line(finding: Finding) -> Text:
    style = "red" if finding.severity == "violation" else "yellow"
    line = Text("  ").append(finding.code, style=style)
    if finding.rule:
        line.append(f" (rule {finding.rule})")
    line.append(f" {finding.text}")
    for where in _places(finding.evidence[:1]):
        line.append(f" See {where}.", style="dim")
    return line


def _places(evidence: list[Evidence]) -> Iterator[str]:
    for one in evidence:
        call = f", call {one.call}" if one.call is not None else ""
        yield f"runs/{one.run_id}/attempt-{one.attempt}.calls.jsonl{call}"
