"""Runs and prices -> what each framework's runs cost. Tokens are the wire's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.cost.result import Cost, Price, Spending
from analysis.item_bootstrap import percentile_interval, times_drawn
from analysis.mean_interval import FEWEST_ITEMS
from analysis.read_runs import Runs
from analysis.wire_result import Interval
from shared.records import FINAL_STATUSES

MILLION = 1_000_000
USED = (
    *("subject", "item", "prompt_tokens", "cached_tokens", "completion_tokens", "total_tokens"),
    *("retried_tokens", "energy_j"),
)
KINDS = ("fresh", "cached", "output")
"""Columns of a bill: input read anew, input read before, output."""


def measure_spending(runs: Runs, accepted: pd.Series) -> dict[str, Spending]:
    """By subject, in alphabetical order. `accepted`: a bool per row of `runs.table`, on its index."""
    billed = _tried(runs, accepted)
    return {str(name): _spending(rows) for name, rows in billed.groupby("subject", sort=True)}


def measure_cost(
    runs: Runs, prices: Mapping[str, Price], accepted: pd.Series, *, input_share: float | None = None
) -> dict[str, dict[str, Cost]]:
    """Price -> subject -> cost.

    Args:
        runs: All of them; dry ones cost nothing and are left out.
        prices: By name.
        accepted: As for `measure_spending`.
        input_share: Take each run's total apart by this share instead of by what was counted.
    """
    billed = _tried(runs, accepted)
    kinds = _by_share(billed, input_share) if input_share is not None else _counted(billed)
    billed = billed.assign(**kinds).dropna(subset=list(KINDS))
    bills = {str(name): _bill(rows) for name, rows in billed.groupby("subject", sort=True)}
    return {
        price: {subject: _cost(bill, row) for subject, bill in bills.items()} for price, row in prices.items()
    }


def _tried(runs: Runs, accepted: pd.Series) -> pd.DataFrame:
    """What says something of the framework; whoever pays for runs pays for these."""
    table = runs.table[[*USED, "role", "status"]].assign(
        accepted=accepted.reindex(runs.table.index).fillna(value=False).astype(bool)
    )
    return table[table["status"].isin([str(status) for status in FINAL_STATUSES]) & (table["role"] != "dry")]


def _counted(rows: pd.DataFrame) -> dict[str, pd.Series]:
    cached = rows["cached_tokens"].fillna(0).clip(lower=0, upper=rows["prompt_tokens"])
    return {"fresh": rows["prompt_tokens"] - cached, "cached": cached, "output": rows["completion_tokens"]}


def _by_share(rows: pd.DataFrame, input_share: float) -> dict[str, pd.Series]:
    total = rows["total_tokens"]
    return {"fresh": total * input_share, "cached": total * 0, "output": total * (1 - input_share)}


def _spending(rows: pd.DataFrame) -> Spending:
    known = rows.dropna(subset=["prompt_tokens", "completion_tokens"])
    tokens = known["prompt_tokens"].sum() + known["completion_tokens"].sum()
    return Spending(
        runs=len(rows),
        without_tokens=len(rows) - len(known),
        accepted=int(rows["accepted"].sum()),
        input_tokens=known["prompt_tokens"].mean(),
        cached_tokens=known["cached_tokens"].mean(),
        output_tokens=known["completion_tokens"].mean(),
        input_share=known["prompt_tokens"].sum() / tokens if tokens else None,
        retried_tokens=rows["retried_tokens"].mean(),
        energy_j=rows["energy_j"].mean(),
        energy_runs=int(rows["energy_j"].notna().sum()),
    )


@dataclass(frozen=True)
class _Bill:
    """One subject's sums, a row per item."""

    tokens: np.ndarray
    """Items x KINDS."""
    runs: np.ndarray
    accepted: np.ndarray


def _bill(rows: pd.DataFrame) -> _Bill:
    by_item = rows.groupby("item", sort=True)
    return _Bill(
        by_item[list(KINDS)].sum().to_numpy(dtype=float),
        by_item.size().to_numpy(dtype=float),
        by_item["accepted"].sum().to_numpy(dtype=float),
    )


def _cost(bill: _Bill, price: Price) -> Cost:
    cached = price.input if price.cached_input is None else price.cached_input
    by_item = bill.tokens @ np.array([price.input, cached, price.output]) / MILLION
    per_run = float(by_item.sum() / bill.runs.sum())
    accepted = bill.accepted.sum()
    return Cost(
        per_run=per_run,
        per_run_interval=_interval(by_item, bill.runs),
        per_accepted=float(by_item.sum() / accepted) if accepted else None,
        per_accepted_interval=_interval(by_item, bill.accepted) if accepted else None,
        per_1000_runs=1_000 * per_run,
        per_10000_runs=10_000 * per_run,
    )


def _interval(amounts: np.ndarray, counts: np.ndarray) -> Interval | None:
    """Of the sum of `amounts` over that of `counts`, whole items drawn."""
    if len(amounts) < FEWEST_ITEMS:
        return None
    drawn = times_drawn(len(amounts))
    below = drawn @ counts
    values = np.divide(drawn @ amounts, below, out=np.full(len(below), np.nan), where=below > 0)
    return percentile_interval(values.tolist(), len(amounts))
