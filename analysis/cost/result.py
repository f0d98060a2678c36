"""What runs cost, as typed data."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from analysis.result_model import Number, Result
from analysis.wire_result import Interval

Amount = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class Price(Result):
    """Money for a million tokens."""

    title: str = Field(min_length=1, max_length=60)
    input: Amount
    cached_input: Amount | None = None
    """Of input that the server had read before; null: as any other input."""
    output: Amount
    currency: str = Field(pattern="^[A-Z]{3}$")
    """ISO 4217."""
    as_of: date
    """The day on which it was the price."""
    source: str = Field(min_length=1, max_length=200)
    """The page that says so."""


class Spending(Result):
    """What a framework's runs used, means per run over all that were tried to an end, failed ones too."""

    runs: int
    """Completed, failed, stopped by a limit, timed out. Runs that ended for reasons of ours are left out."""
    without_tokens: int
    """Of these, runs whose tokens are not known: they are in no mean and no cost."""
    accepted: int
    """Runs whose report meets the acceptance criteria."""
    input_tokens: Number = None
    """Cached ones included."""
    cached_tokens: Number = None
    """Null where the server never said; such input is priced as not cached."""
    output_tokens: Number = None
    input_share: Number = None
    """Of all tokens."""
    retried_tokens: Number = None
    """Of attempts that were repeated, input and output together: traffic that is in no cost here."""
    energy_j: Number = None
    """Joules of all GPUs, over the runs where they were measured."""
    energy_runs: int = 0


class Cost(Result):
    """In the price's currency."""

    per_run: Number = None
    per_run_interval: Interval | None = None
    """95 %, percentile bootstrap over items; null below `analysis.differences.FEWEST_ITEMS` items."""
    per_accepted: Number = None
    """All runs' cost, failed ones too, over the number of accepted reports; null without one."""
    per_accepted_interval: Interval | None = None
    per_1000_runs: Number = None
    per_10000_runs: Number = None


class Split(Result):
    """All tokens of a run taken apart by fixed shares, as where only totals were published."""

    input_share: float = Field(ge=0, le=1)
    cost: dict[str, dict[str, Cost]]
    """As `CostReport.cost`."""


class CostReport(Result):
    """What `levelfield cost --json` writes."""

    prices: dict[str, Price]
    spending: dict[str, Spending]
    cost: dict[str, dict[str, Cost]]
    """Price -> framework -> cost of the tokens as they were counted."""
    split: Split | None = None
    energy_cost_per_run: dict[str, Number] = Field(default_factory=dict)
    """Framework -> joules priced by the kilowatt-hour, in the currency of whoever gave that price."""
