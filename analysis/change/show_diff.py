"""A diff for the terminal and as Markdown: the same tables in both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.change.gate_words import LABELS, shown_change, shown_interval, shown_value
from analysis.change.made import obstacles
from analysis.change.result import CHANGE_METRICS, Change, Diff, Scope
from analysis.change.shown import harmless, markdown_cell, markdown_table
from analysis.wording import listing, plural

MOST_CELLS = 8
SHOWN_CHARACTERS = 60
"""Of a value in the table of what was made differently; the JSON has it whole."""
SPOILT: dict[Scope, str] = {
    "everything": "nothing comparable", "times": "times not comparable",
    "quality": "quality not comparable", "nothing": "harmless",
}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """A table with its heading; `numbers`: the columns to set right."""

    title: str
    headings: list[str]
    rows: list[list[str]]
    numbers: tuple[int, ...] = ()


def sentences(diff: Diff) -> list[str]:
    """What holds for the whole comparison."""
    found = [_comparability(diff)]
    cells = diff.cells
    found.append(f"{plural(cells.both, 'cell')} of framework and item in both.")
    for side, only in (("base", cells.only_base), ("head", cells.only_head)):
        if only:
            found.append(f"Only in {side}: {listing(only, MOST_CELLS)}.")
    return found + diff.notes


def _comparability(diff: Diff) -> str:
    if None in diff.comparable.values():
        return "Whether they may be compared is not known."
    bad = [metric for metric in CHANGE_METRICS if not diff.comparable[metric]]
    if not bad:
        return "They may be compared: both were asked the same, on the same model and machine."
    reasons = listing(sorted({reason for metric in bad for reason in obstacles(metric, diff.made)}))
    if len(bad) == len(CHANGE_METRICS):
        return f"They may not be compared: not alike in {reasons}."
    return f"They may be compared, but not in {listing([LABELS[m] for m in bad])}: not alike in {reasons}."


def tables(diff: Diff) -> Iterator[Shown]:
    if diff.made:
        rows = [[d.what, _short(d.base), _short(d.head), SPOILT[d.spoils]] for d in diff.made]
        yield Shown("Made differently", ["What", "Base", "Head", "So"], rows)
    several = len({change.arm for change in diff.changes}) > 1
    for metric in CHANGE_METRICS:
        rows = [_change_row(change, several) for change in diff.changes if change.metric == metric]
        if rows:
            unit = "points" if metric == "failures" else "%"
            headings = ["Framework", "Items", "Base", "Head", "Change", f"95 %, in {unit}", "p", "Noise"]
            yield Shown(LABELS[metric].capitalize(), headings, rows, tuple(range(1, 8)))
    if diff.texts:
        rows = [
            [_name(t.title, t.arm, several), str(t.pairs), str(t.same), listing(t.changed_items, MOST_CELLS)]
            for t in diff.texts
        ]
        yield Shown("Reports", ["Framework", "In both", "Identical", "Changed on"], rows, (1, 2))


def print_diff(diff: Diff, console: Console) -> None:
    console.print(Text(harmless(f"{diff.base.name} \u2192 {diff.head.name}"), style="bold"))
    for sentence in sentences(diff):
        console.print(Text(harmless(sentence)))
    for shown in tables(diff):
        table = Table(title=shown.title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for place, heading in enumerate(shown.headings):
            number = place in shown.numbers
            table.add_column(heading, justify="right" if number else "left", no_wrap=number)
        for row in shown.rows:
            table.add_row(*(Text(harmless(cell)) for cell in row))
        console.print(table)


def diff_markdown(diff: Diff) -> str:
    parts = [
        f"### {markdown_cell(diff.base.name)} \u2192 {markdown_cell(diff.head.name)}",
        "\n".join(f"- {markdown_cell(sentence)}" for sentence in sentences(diff)),
    ]
    for shown in tables(diff):
        parts += [f"#### {shown.title}", markdown_table(shown.headings, shown.rows)]
    return "\n\n".join(parts) + "\n"


def _change_row(change: Change, several_arms: bool) -> list[str]:
    metric = change.metric
    tested = not change.identical and change.low is not None and change.high is not None
    floors = [floor for floor in (change.noise_base, change.noise_head) if floor is not None]
    return [
        _name(change.title, change.arm, several_arms),
        str(change.n_items),
        shown_value(metric, change.base),
        shown_value(metric, change.head),
        "same" if change.identical else change.reason or shown_change(metric, change.change),
        shown_interval(change.low, change.high) if tested else "",
        "" if change.identical or change.p_holm is None else f"{change.p_holm:.3f}",
        f"{max(floors) * 100:.1f}" if floors else "",
    ]


def _name(title: str, arm: str, several_arms: bool) -> str:
    return f"{title} [{arm}]" if several_arms and arm else title


def _short(value: str | None) -> str:
    if value is None:
        return "not there"
    return value if len(value) <= SHOWN_CHARACTERS else f"{value[: SHOWN_CHARACTERS - 1]}\u2026"
