"""Which reports pass the stated criteria."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from analysis.read_runs import Runs
from shared.acceptance import Acceptance

MOST = frozenset({"unsupported_sentences"})
"""Criteria whose bound is the most that passes; of all others it is the least."""
ROUNDING = 1e-9


@dataclass(frozen=True)
class Criterion:
    column: str
    bound: float
    known: bool
    """Whether any report that a model wrote has a value: what nobody knows of any run decides about none."""

    def met(self, table: pd.DataFrame) -> pd.Series:
        """False also for a run whose value is missing while others have one."""
        values = table[self.column]
        within = values <= self.bound + ROUNDING if self.column in MOST else values >= self.bound - ROUNDING
        return within.astype(bool)


def criteria(runs: Runs) -> list[Criterion]:
    """The stated criteria that are switched on, in the order of `Acceptance`.

    A task without a score of its own has no criterion `passed`, rather than one that nobody knows.
    """
    answered = runs.answered
    bounds = runs.manifest.acceptance.model_dump()
    stated = [
        Criterion(column, float(bounds[column]), bool(answered[column].notna().any()))
        for column in Acceptance.model_fields
        if bounds[column] is not None and bounds[column] is not False
    ]
    return [criterion for criterion in stated if criterion.known or criterion.column != "passed"]


def accepted(runs: Runs) -> pd.Series:
    """Whether each row of `runs.table` is a report that passes every criterion that is known.

    Returns:
        Booleans on the table's index; False for what did not complete, does not count or had no model.
    """
    passed = runs.table["counted"] & (runs.table["role"] != "dry")
    for criterion in criteria(runs):
        if criterion.known:
            passed &= criterion.met(runs.table)
    return passed.rename("accepted")
