"""A benchmark's result for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.result import BenchmarkResult, Spread
from shared.foreign_text import harmless

MARKS = {True: ("met", "green"), False: ("not met", "red"), None: ("undecided", "yellow")}


def result_table(result: BenchmarkResult) -> RenderableType:
    """A row per figure: median (min..max) over rounds for each subject, and the ratios' medians."""
    measured = [subject for subject in result.subjects if any(subject.name in f.of for f in result.figures)]
    pairs = list(dict.fromkeys(pair for found in result.figures for pair in found.ratios))
    table = Table(
        title=f"{result.name}: {result.about}", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1)
    )
    table.add_column("")
    for subject in measured:
        table.add_column(f"{subject.name}\n({subject.role})", justify="right", no_wrap=True)
    for pair in pairs:
        table.add_column(pair.replace(" / ", "\n/ "), justify="right", no_wrap=True)
    for found in result.figures:
        table.add_row(
            f"{found.name} [dim]{found.unit}",
            *(_shown(found.of.get(subject.name)) for subject in measured),
            *(_median(found.ratios.get(pair)) for pair in pairs),
        )
    return Group(table, *_remarks(result))


def _remarks(result: BenchmarkResult) -> Iterator[Text]:
    rounds = "1 round" if result.rounds == 1 else f"{result.rounds} rounds"
    yield Text(f"Median (min..max) over {rounds}; ratios are medians. {result.counted}")
    for goal in result.goals:
        word, colour = MARKS[goal.met]
        yield Text.assemble("Goal: ", f"{goal.text}: {goal.found}, ", (word, colour))
    for subject in result.subjects:
        if subject.missing:
            yield Text(harmless(f"Not measured: {subject.name}: {subject.missing}"), "yellow")


def _shown(spread: Spread | None) -> str:
    if spread is None:
        return ""
    if len(spread.rounds) == 1:
        return _number(spread.median)
    return f"{_number(spread.median)} ({_number(spread.min)}..{_number(spread.max)})"


def _median(spread: Spread | None) -> str:
    return _number(spread.median) if spread else ""


def _number(value: float) -> str:
    """Three significant digits, and never more than three decimals."""
    digits = 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:.{digits}f}"
