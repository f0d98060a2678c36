"""`levelfield cost`: what it does, apart from reading its arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from analysis.consistency.acceptance import accepted
from analysis.cost.measure import measure_cost, measure_spending
from analysis.cost.prices import chosen, prices_for
from analysis.cost.result import CostReport, Price, Split
from analysis.cost.tables import cost_table, energy_cost, energy_table, prices_table, split_table
from analysis.read_runs import Runs, read_runs
from analysis.rich_table import plain, rich_table, without
from analysis.tables import Cell, Table
from shared.errors import UserError
from shared.record_files import make_folder, write_whole

TOKEN_COLUMNS = {"Input tokens", "Of it cached", "Output tokens"}
NARROW = 110
"""Characters, below which a terminal has no room for intervals beside the names."""


def cost_command(
    source: Path,
    console: Console,
    *,
    price: str | None = None,
    own_prices: Path | None = None,
    split: str | None = None,
    kwh_price: float | None = None,
    json_out: Path | None = None,
    task: str | None = None,
) -> None:
    """Print what the runs cost, and write it to `json_out`.

    Raises:
        UserError: No runs, no such price, a bad split or file of prices.
        StoreFailed: `json_out` cannot be written.
    """
    prices = chosen(prices_for(source, own_prices), price)
    input_share = read_split(split) if split else None
    runs = read_runs(source, task)
    report = cost_report(runs, prices, input_share, kwh_price)
    titles = {name: Cell(runs.title(name)) for name in report.spending}
    left_out = TOKEN_COLUMNS | ({"95 % interval"} if console.width < NARROW else set())
    for table in _tables(report, titles, kwh_price):
        console.print(rich_table(without(table, left_out), wrap_names=True))
        console.print(plain(table.note), soft_wrap=True)
    if json_out is not None:
        make_folder(json_out.absolute().parent)
        write_whole(json_out.absolute(), f"{report.model_dump_json(indent=2)}\n".encode())


def _tables(report: CostReport, titles: Mapping[str, Cell], kwh_price: float | None) -> list[Table]:
    found: list[Table | None]
    if split := report.split:
        found = [split_table(titles, report, split, name) for name in report.prices]
    else:
        found = [cost_table(titles, report, next(iter(report.prices))), prices_table(titles, report)]
    return [table for table in (*found, energy_table(titles, report.spending, kwh_price)) if table]


def cost_report(
    runs: Runs,
    prices: Mapping[str, Price],
    input_share: float | None = None,
    kwh_price: float | None = None,
) -> CostReport:
    good = accepted(runs)
    spending = measure_spending(runs, good)
    if not spending:
        raise UserError("There is no run here that a model answered, so nothing to price.")
    split = None
    if input_share is not None:
        split = Split(input_share=input_share, cost=measure_cost(runs, prices, good, input_share=input_share))
    priced = {} if kwh_price is None else {n: energy_cost(used, kwh_price) for n, used in spending.items()}
    return CostReport(
        prices=dict(prices),
        spending=spending,
        cost=measure_cost(runs, prices, good),
        split=split,
        energy_cost_per_run=priced,
    )


def read_split(text: str) -> float:
    """The share of input: 0.4 of "40/60".

    Raises:
        UserError: It is no split.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*/\s*(\d+(?:\.\d+)?)\s*", text)
    shares = [float(part) for part in found.groups()] if found else []
    if len(shares) != 2 or abs(sum(shares) - 100) > 1e-9:
        raise UserError(f'"{text}" is no split. Give the percentages of input and output, such as 40/60.')
    return shares[0] / 100
