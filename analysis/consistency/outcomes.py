"""Do repeats pass too? pass^k against the stated criteria."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import comb

from analysis.consistency.acceptance import Criterion, accepted, criteria
from analysis.consistency.intervals import mean_interval
from analysis.consistency.result import PassPower
from analysis.read_runs import Runs
from shared.records import Status

MOST_TRIALS = 8
"""Largest k: as far as tau-bench's own figures go."""
NOT_ITS_OWN = (Status.MODEL_ERROR, Status.CONTAMINATED, Status.INFRASTRUCTURE_ERROR)
"""Ends that say nothing of the framework."""


def trials_of(runs: Runs) -> pd.DataFrame:
    """Rows that are a trial of a framework with a model, with the column accepted."""
    table = runs.table.assign(accepted=accepted(runs))
    own = ~table["status"].isin(NOT_ITS_OWN) & (table["quarantine"] != "late_calls")
    return table[own & (table["role"] != "dry")]


def measure_outcomes(runs: Runs) -> dict[str, dict[str, Any]]:
    """Subject -> its trials, accepted, met and pass_power."""
    trials = trials_of(runs)
    met = _met(runs)
    cells = trials.groupby(["subject", "item"])["accepted"].agg(["size", "sum"])
    return {
        str(subject): {
            "trials": int(found["size"].sum()),
            "accepted": int(found["sum"].sum()),
            "met": {column: shares.get(str(subject)) for column, shares in met.items()},
            "pass_power": pass_powers(found["size"].to_numpy(), found["sum"].to_numpy()),
        }
        for subject, found in cells.groupby(level="subject")
    }


def pass_powers(trials: np.ndarray, passed: np.ndarray) -> list[PassPower]:
    """`trials` and `passed`: counts per item."""
    found = []
    for k in range(1, min(MOST_TRIALS, int(trials.max(initial=0))) + 1):
        enough = trials >= k
        values = comb(passed[enough], k) / comb(trials[enough], k)
        found.append(
            PassPower(k=k, value=values.mean(), interval=mean_interval(values), items=int(enough.sum()))
        )
    return found


def _met(runs: Runs) -> dict[str, dict[str, float]]:
    """Criterion -> subject -> share of its completed reports; empty for a criterion that is not known."""
    done = runs.answered
    return {
        criterion.column: _shares(criterion, done) if criterion.known else {} for criterion in criteria(runs)
    }


def _shares(criterion: Criterion, done: pd.DataFrame) -> dict[str, float]:
    shares = criterion.met(done).groupby(done["subject"]).mean()
    return {str(subject): float(share) for subject, share in shares.items()}
