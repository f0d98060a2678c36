"""`levelfield whatif`: what it does, apart from reading its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from analysis.consistency.acceptance import accepted
from analysis.cost.measure import measure_cost
from analysis.cost.prices import chosen, prices_for
from analysis.cost.result import Cost, Price
from analysis.read_runs import Runs, read_runs
from analysis.result_model import Result
from analysis.rich_table import plain, rich_table, without
from analysis.tables import Cell, Table
from analysis.what_if.calls import CallSample, sample_calls
from analysis.what_if.examine import NO_RATES, what_if
from analysis.what_if.fit import fit_rates
from analysis.what_if.predict import loads_of
from analysis.what_if.result import Rates, Validation, WhatIf
from analysis.what_if.tables import validation_table, what_if_table
from analysis.what_if.validate import validate_prediction
from shared.errors import UserError
from shared.record_files import make_folder, write_whole

LOAD_COLUMNS = {"Input, not cached", "Output", "Calls"}


@dataclass(frozen=True)
class GivenRates:
    """What the user said of the model to predict; None: as measured."""

    prefill_tokens_per_s: float | None = None
    decode_tokens_per_s: float | None = None
    call_s: float | None = None

    @property
    def complete(self) -> bool:
        return self.prefill_tokens_per_s is not None and self.decode_tokens_per_s is not None


class WhatIfReport(Result):
    """What `levelfield whatif --json` writes."""

    what_if: WhatIf
    cost: dict[str, dict[str, Cost]]
    validation: Validation | None = None


def what_if_command(
    source: Path,
    console: Console,
    *,
    given: GivenRates,
    like: Path | None = None,
    validate: Path | None = None,
    price: str | None = None,
    own_prices: Path | None = None,
    hour_price: float | None = None,
    json_out: Path | None = None,
    task: str | None = None,
) -> None:
    """Print predicted latencies, and write them to `json_out`.

    Raises:
        UserError: The rates are neither given nor measurable, or nothing can be predicted.
        StoreFailed: `json_out` cannot be written.
    """
    prices = chosen(prices_for(source, own_prices), price)
    runs, sample = _sampled(source, task)
    other = validate or like
    others = _sampled(other, task) if other else (runs, sample)
    rates = _rates(given, *others)
    found = what_if(runs, sample, rates, hour_price)
    if found.reason:
        raise UserError(found.reason)
    cost = measure_cost(runs, prices, accepted(runs))
    titles = {name: Cell(runs.title(name)) for name in found.frameworks}
    validation = None
    if validate:
        validation = validate_prediction(loads_of(runs, sample), loads_of(*others), rates)
        titles |= {name: Cell(others[0].title(name)) for name in validation.frameworks}
    for table in _tables(titles, found, prices, cost, validation):
        console.print(rich_table(without(table, LOAD_COLUMNS), wrap_names=True))
        console.print(plain(table.note), soft_wrap=True)
    if json_out is not None:
        report = WhatIfReport(what_if=found, cost=cost, validation=validation)
        make_folder(json_out.absolute().parent)
        write_whole(json_out.absolute(), f"{report.model_dump_json(indent=2)}\n".encode())


def _sampled(source: Path, task: str | None) -> tuple[Runs, CallSample]:
    runs = read_runs(source, task)
    return runs, sample_calls(runs)


def _rates(given: GivenRates, runs: Runs, sample: CallSample) -> Rates:
    """Those that were given over those measured in `runs`."""
    measured = None if given.complete else fit_rates(sample.table, f"measured in {runs.experiment}")
    if measured is None and not given.complete:
        raise UserError(f"{NO_RATES} Give both --prefill and --decode, or an experiment with --like.")
    said = {
        name: value
        for name, value in vars(given).items()
        if value is not None  # what was not said stays as measured
    }
    if measured is None:
        return Rates(**({"call_s": 0.0} | said), source="as given")
    if not said:
        return measured
    source = f"{measured.source}, but {', '.join(_NAMES[name] for name in said)} as given"
    return Rates(**(measured.model_dump() | said | {"source": source, "fit": None}))


_NAMES = {"prefill_tokens_per_s": "prefill", "decode_tokens_per_s": "decode", "call_s": "seconds a call"}


def _tables(
    titles: Mapping[str, Cell],
    found: WhatIf,
    prices: Mapping[str, Price],
    cost: Mapping[str, Mapping[str, Cost]],
    validation: Validation | None,
) -> list[Table]:
    name = next(iter(prices))
    tables = [what_if_table(titles, found, prices[name], cost[name])]
    return [*tables, *([validation_table(titles, validation)] if validation else [])]
