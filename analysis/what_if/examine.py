"""Runs -> what they would take at other rates."""

from __future__ import annotations

from analysis.read_runs import Runs
from analysis.what_if.calls import CallSample, sample_calls
from analysis.what_if.fit import fit_rates
from analysis.what_if.predict import loads_of, predict_frameworks
from analysis.what_if.result import Rates, WhatIf

NO_WORKLOAD = (
    "No completed run tells its time at the model, its tokens and its calls, "
    "so its latency cannot be predicted."
)
NO_RATES = (
    "The rates could not be measured: there are too few calls with their times and tokens, "
    "or their lengths are too alike."
)


def examine_what_if(runs: Runs) -> WhatIf:
    """At the experiment's own rates: the table that the page starts from."""
    sample = sample_calls(runs)
    return what_if(runs, sample, fit_rates(sample.table, "measured here"))


def what_if(runs: Runs, sample: CallSample, rates: Rates | None, hour_price: float | None = None) -> WhatIf:
    loads = loads_of(runs, sample)
    if loads.empty:
        return WhatIf(reason=NO_WORKLOAD)
    if rates is None:
        return WhatIf(reason=NO_RATES)
    return WhatIf(rates=rates, frameworks=predict_frameworks(loads, rates, hour_price))
