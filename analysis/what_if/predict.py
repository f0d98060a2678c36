"""Rates and the wire record -> latency. Tokens, calls and all time not at the model stay as recorded."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.read_runs import Runs
from analysis.what_if.calls import CallSample
from analysis.what_if.result import Predicted, Rates, Workload

NEEDED = ("latency_s", "model_s", "prompt_tokens", "completion_tokens", "model_calls")
LOADS = ("latency_s", "other_s", "fresh_tokens", "cached_tokens", "output_tokens", "model_calls", "overlap")


def loads_of(runs: Runs, sample: CallSample) -> pd.DataFrame:
    """A row per completed run that a model answered and whose times count.

    Returns:
        Columns subject, framework, arm, item and LOADS.
    """
    done = runs.answered.dropna(subset=list(NEEDED))
    cached = done["cached_tokens"].fillna(0).clip(lower=0, upper=done["prompt_tokens"])
    return pd.DataFrame(
        {
            **{name: done[name] for name in ("subject", "framework", "arm", "item", "latency_s")},
            "other_s": (done["latency_s"] - done["model_s"]).clip(lower=0),
            "fresh_tokens": done["prompt_tokens"] - cached,
            "cached_tokens": cached,
            "output_tokens": done["completion_tokens"],
            "model_calls": done["model_calls"],
            "overlap": done["subject"].astype("str").map(lambda name: sample.overlap.get(name, 1.0)),
        }
    )


def predict_runs(loads: pd.DataFrame, rates: Rates) -> np.ndarray:
    """Seconds of each row."""
    at_model = loads["model_calls"].to_numpy(dtype=float) * rates.call_s
    if rates.prefill_tokens_per_s:
        at_model = at_model + loads["fresh_tokens"].to_numpy() / rates.prefill_tokens_per_s
    if rates.decode_tokens_per_s:
        at_model = at_model + loads["output_tokens"].to_numpy() / rates.decode_tokens_per_s
    return np.asarray(loads["other_s"].to_numpy() + loads["overlap"].to_numpy() * at_model, dtype=float)


def predict_frameworks(
    loads: pd.DataFrame, rates: Rates, hour_price: float | None = None
) -> dict[str, Predicted]:
    """Means by subject.

    Args:
        loads: As `loads_of` gives them.
        rates: Of the model and machine to predict.
        hour_price: Of that machine for an hour, in whatever currency.
    """
    found = {}
    for subject, rows in loads.groupby("subject", sort=True):
        seconds = float(predict_runs(rows, rates).mean())
        found[str(subject)] = Predicted(
            workload=Workload(runs=len(rows), **{name: float(rows[name].mean()) for name in LOADS}),
            predicted_s=seconds,
            machine_cost=None if hour_price is None else seconds / 3600 * hour_price,
        )
    return found
