"""How far a prediction is off: latencies predicted from another experiment, beside the measured ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from analysis.what_if.predict import predict_runs
from analysis.what_if.result import FrameworkError, Rates, Validation
from shared.errors import UserError

CELL = ["framework", "arm", "item"]
FEWEST_RANKED = 3


def validate_prediction(loads: pd.DataFrame, measured: pd.DataFrame, rates: Rates) -> Validation:
    """Predict `measured` (rows as `loads_of` gives them) from the tokens, calls and own times of `loads`.

    Each measured run is held against the mean prediction for its framework and item.

    Args:
        loads: Of the experiment whose records are used.
        measured: Of the experiment that is predicted.
        rates: Of the latter.

    Raises:
        UserError: The two share no framework and item.
    """
    predicted = loads.assign(predicted_s=predict_runs(loads, rates))
    cells = predicted.groupby(CELL)["predicted_s"].mean().reset_index()
    pairs = measured.assign(own_s=predict_runs(measured, rates)).merge(cells, on=CELL)
    if pairs.empty:
        raise UserError(
            "The two experiments share no framework on the same item, in the same arm, so neither can be "
            "held against the other. Run the same plan with another model."
        )
    frameworks = {str(name): _framework(rows) for name, rows in pairs.groupby("subject", sort=True)}
    errors = np.abs([f.error for f in frameworks.values() if f.error is not None])
    own = np.abs([f.own_records_error for f in frameworks.values() if f.own_records_error is not None])
    return Validation(
        rates=rates,
        frameworks=frameworks,
        runs=len(pairs),
        median_run_error=_median_error(pairs),
        median_framework_error=float(np.median(errors)) if len(errors) else None,
        largest_framework_error=float(np.max(errors)) if len(errors) else None,
        own_records_median_framework_error=float(np.median(own)) if len(own) else None,
        kendall_tau=_agreement(list(frameworks.values())),
    )


def _framework(rows: pd.DataFrame) -> FrameworkError:
    measured, predicted = float(rows["latency_s"].mean()), float(rows["predicted_s"].mean())
    return FrameworkError(
        runs=len(rows),
        measured_s=measured,
        predicted_s=predicted,
        error=predicted / measured - 1 if measured > 0 else None,
        median_run_error=_median_error(rows),
        own_records_error=float(rows["own_s"].mean()) / measured - 1 if measured > 0 else None,
    )


def _median_error(rows: pd.DataFrame) -> float | None:
    known = rows[rows["latency_s"] > 0]
    off = (known["predicted_s"] - known["latency_s"]).abs() / known["latency_s"]
    return float(off.median()) if len(off) else None


def _agreement(frameworks: list[FrameworkError]) -> float | None:
    if len(frameworks) < FEWEST_RANKED:
        return None
    measured, predicted = [f.measured_s for f in frameworks], [f.predicted_s for f in frameworks]
    return float(kendalltau(measured, predicted).statistic)
