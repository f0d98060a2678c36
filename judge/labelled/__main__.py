"""`python -m judge.labelled`: how well the checks without a model find facts and unsupported claims."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from judge.labelled.measure import Measured, Proportion, Tally, measure
from judge.labelled.passages import read_labelled, read_yardsticks

WIDTH = 110
"""Of the tables, in characters."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m judge.labelled", description=__doc__)
    parser.add_argument("--errors", action="store_true", help="list what was found wrongly or missed")
    console = Console(markup=False, highlight=False, width=WIDTH, soft_wrap=True)
    show_errors = parser.parse_args().errors
    labelled, yardsticks = read_labelled(), read_yardsticks()
    for name, passages in (("tune", labelled.tune), ("held out", labelled.held_out)):
        measured = measure(passages, yardsticks)
        console.print(_table(name, measured))
        if show_errors:
            _print_errors(console, measured)


def _table(name: str, measured: Measured) -> Table:
    table = Table(box=SIMPLE, title=f"{name}: {measured.passages} passages, {measured.sentences} sentences")
    for column in ("", "right", "wrong", "missed", "precision (95 %)", "recall (95 %)"):
        table.add_column(column, no_wrap=True)
    for label, tally in _tallies(measured):
        counts = (str(tally.right), str(len(tally.wrong)), str(len(tally.missed)))
        table.add_row(label, *counts, _text(tally.precision), _text(tally.recall))
    return table


def _print_errors(console: Console, measured: Measured) -> None:
    for label, tally in _tallies(measured):
        for kind, errors in (("wrong", tally.wrong), ("missed", tally.missed)):
            for error in errors:
                console.print(f"{label}, {kind}: {error}")


def _tallies(measured: Measured) -> Iterator[tuple[str, Tally]]:
    yield "facts stated", measured.facts
    yield "sentences with a claim", measured.claims
    yield "figures and names", measured.parts


def _text(share: Proportion) -> str:
    interval = share.interval()
    if interval is None:
        return "none"
    return f"{share.value:.2f} ({interval[0]:.2f} to {interval[1]:.2f})"


if __name__ == "__main__":
    main()
