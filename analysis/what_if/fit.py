"""Calls -> rates, by least squares with nothing below zero: no token is read in negative time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from analysis.what_if.result import Fit, Rates

FEWEST_CALLS = 5
ALIKE = 0.05
"""Below this coefficient of variation of a token count, its slope and the constant cannot be told apart."""
WORST_CONDITION = 1e3
"""Of the columns scaled to length 1: above it, input and output rise together and no rate can be told."""


def fit_rates(calls: pd.DataFrame, source: str) -> Rates | None:
    """Least squares over `calls` (columns `analysis.what_if.calls.COLUMNS`).

    Where prefill and decode are told apart, each is a line in its own tokens, and the mean wait is added to
    the constant; else one plane in both.

    Returns:
        None with fewer than FEWEST_CALLS calls, or where their lengths are too alike.
    """
    measured = calls[["queue_s", "prefill_s", "decode_s", "model_s"]].sum(axis=1).to_numpy()
    calls, measured = calls[measured > 0], measured[measured > 0]
    if len(calls) < FEWEST_CALLS:
        return None
    staged = bool((calls["model_s"] == 0).all())
    slopes = _by_stage(calls) if staged else _whole(calls, measured)
    if slopes is None:
        return None
    prefill, decode, constant = slopes
    predicted = calls["fresh"].to_numpy() * prefill + calls["output"].to_numpy() * decode + constant
    off = measured - predicted
    spread = float(((measured - measured.mean()) ** 2).sum())
    return Rates(
        prefill_tokens_per_s=1 / prefill if prefill > 0 else None,
        decode_tokens_per_s=1 / decode if decode > 0 else None,
        call_s=constant,
        source=source,
        fit=Fit(
            calls=len(calls),
            basis="stages" if staged else "whole calls",
            median_error=float(np.median(np.abs(off) / measured)),
            r_squared=1 - float((off**2).sum()) / spread if spread > 0 else None,
        ),
    )


def _by_stage(calls: pd.DataFrame) -> tuple[float, float, float]:
    prefill = _line(calls["fresh"], calls["prefill_s"])
    decode = _line(calls["output"], calls["decode_s"])
    return prefill[0], decode[0], prefill[1] + decode[1] + float(calls["queue_s"].mean())


def _line(tokens: pd.Series, seconds: pd.Series) -> tuple[float, float]:
    """Slope and constant, the constant 0 where the lengths are too alike to tell."""
    x, y = tokens.to_numpy(), seconds.to_numpy()
    if x.mean() == 0:
        return 0.0, float(y.mean())
    if x.std() < ALIKE * x.mean():
        return float(y.mean() / x.mean()), 0.0
    slope, constant = nnls(np.column_stack([x, np.ones_like(x)]), y)[0]
    return float(slope), float(constant)


def _whole(calls: pd.DataFrame, seconds: np.ndarray) -> tuple[float, float, float] | None:
    columns = np.column_stack([calls["fresh"], calls["output"], np.ones(len(calls))])
    lengths = np.linalg.norm(columns, axis=0)
    if (lengths == 0).any() or np.linalg.cond(columns / lengths) > WORST_CONDITION:
        return None
    prefill, decode, constant = nnls(columns, seconds)[0]
    return float(prefill), float(decode), float(constant)
