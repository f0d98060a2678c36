"""A gate for the terminal and as Markdown, for a pull request or a job's summary."""

from __future__ import annotations

from collections import Counter

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.change.gate_words import LABELS, STATUS_LABELS, shown_change, shown_share, shown_value
from analysis.change.result import Gate, GateLine, GateStatus
from analysis.change.shown import harmless, markdown_cell, markdown_table
from analysis.wording import listing, plural

STYLES: dict[GateStatus, str] = {
    "regression": "bold red", "no_regression": "green", "unchanged": "green",
    "undecided": "yellow", "not_enough_data": "yellow",
}  # fmt: skip
MARKS: dict[GateStatus, str] = {
    "regression": "\u274c", "no_regression": "\u2705", "unchanged": "\u2705",
    "undecided": "\u2754", "not_enough_data": "\u2754",
}  # fmt: skip
HEADINGS = ["Framework", "Metric", "Items", "Base", "Head", "Change", "Margin", "Result"]


def headline(gate: Gate) -> str:
    """What a maintainer reads first, and perhaps alone."""
    worse = gate.having("regression")
    if worse:
        return f"Regression: {listing([f'{line.title}, {LABELS[line.metric]}' for line in worse])}."
    counts = Counter(line.status for line in gate.lines)
    open_ones = counts["undecided"] + counts["not_enough_data"]
    if not open_ones:
        return f"No regression: all {plural(len(gate.lines), 'comparison')} within their margins."
    if open_ones == len(gate.lines):
        return "No regression shown, and none excluded: the data do not tell."
    return f"No regression shown; {open_ones} of {len(gate.lines)} comparisons are left open by the data."


def print_gate(gate: Gate, console: Console) -> None:
    several = len({line.arm for line in gate.lines}) > 1
    names = {harmless(_name(line, several)) for line in gate.lines}
    first = 1 if len(names) == 1 else 0  # a name that all lines share stands above them
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=Text(names.pop()) if first else None)
    table.title_justify = "left"
    for heading in HEADINGS[first:]:
        number = heading in HEADINGS[2:7]
        table.add_column(
            heading, justify="right" if number else "left", no_wrap=heading not in {"Framework", "Result"}
        )
    for line in gate.lines:
        *cells, _ = _row(line, several)
        table.add_row(*map(Text, cells[first:]), Text(STATUS_LABELS[line.status], style=STYLES[line.status]))
    console.print(table)
    for line in gate.lines:
        said = _said(line, several)
        console.print(Text(harmless(said), style=STYLES[line.status] if line.status == "regression" else ""))
    for note in gate.notes:
        console.print(Text(harmless(note), style="yellow"))
    console.print(Text(harmless(headline(gate)), style="bold"))


def gate_markdown(gate: Gate) -> str:
    several = len({line.arm for line in gate.lines}) > 1
    parts = [
        f"### {MARKS[_worst(gate)]} {markdown_cell(headline(gate))}",
        f"Base: {markdown_cell(gate.base.name)}. Head: {markdown_cell(gate.head.name)}.",
        markdown_table(HEADINGS, [_row(line, several) for line in gate.lines]),
        "\n".join(
            f"- {MARKS[line.status]} {markdown_cell(_said(line, several))}"
            for line in gate.lines
            if line.status != "unchanged"
        ),
        "\n".join(f"- {markdown_cell(note)}" for note in gate.notes),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _worst(gate: Gate) -> GateStatus:
    statuses = {line.status for line in gate.lines}
    by_weight: tuple[GateStatus, ...] = ("regression", "undecided", "not_enough_data")
    return next((status for status in by_weight if status in statuses), "unchanged")


def _name(line: GateLine, several_arms: bool) -> str:
    return f"{line.title} [{line.arm}]" if several_arms and line.arm else line.title


def _said(line: GateLine, several_arms: bool) -> str:
    return f"{_name(line, several_arms)}, {LABELS[line.metric]}: {line.text}"


def _row(line: GateLine, several_arms: bool) -> list[str]:
    same = line.status == "unchanged"
    return [
        harmless(_name(line, several_arms)),
        LABELS[line.metric],
        str(line.n_items),
        shown_value(line.metric, line.base),
        shown_value(line.metric, line.head),
        "same" if same else "" if line.change is None else shown_change(line.metric, line.change),
        shown_share(line.metric, line.margin),
        STATUS_LABELS[line.status],
    ]
