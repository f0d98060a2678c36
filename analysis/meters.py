"""The audit of the meters: a framework's own count and the server's counters, each beside the wire."""

from __future__ import annotations

import pandas as pd

from analysis.read_runs import Runs
from analysis.wire_result import MeterCheck, Meters, Tokens

WIRE = ("prompt_tokens", "completion_tokens")
OWN = ("native_prompt_tokens", "native_completion_tokens")
BESIDE = ("cached_tokens", "retried_calls", "retried_tokens")
SERVER = ("server_prompt_tokens", "server_completion_tokens")


def audit_meters(runs: Runs) -> dict[str, Meters]:
    used = runs.answered[["subject", *WIRE, *OWN, *SERVER, *BESIDE]]
    return {str(subject): _audit(rows) for subject, rows in used.groupby("subject", sort=True)}


def _audit(rows: pd.DataFrame) -> Meters:
    known = rows.dropna(subset=list(WIRE))
    # What a failed request cost the server is on no wire: there its counters rightly say more.
    first_tries = known[known["retried_calls"].fillna(0) == 0]
    return Meters(
        runs=len(rows),
        wire=_sums(known, WIRE) if len(known) else None,
        cached=_sum_if_known(rows["cached_tokens"]),
        retried_calls=_sum_if_known(rows["retried_calls"]),
        retried_tokens=_sum_if_known(rows["retried_tokens"]),
        own=_check(known, OWN),
        server=_check(first_tries, SERVER),
    )


def _check(rows: pd.DataFrame, columns: tuple[str, str]) -> MeterCheck | None:
    both = rows.dropna(subset=list(columns))
    if both.empty:
        return None
    counted, wire = _sums(both, columns), _sums(both, WIRE)
    return MeterCheck(
        runs=len(both),
        counted=counted,
        wire=wire,
        cached=both["cached_tokens"].sum(),
        prompt_ratio=_ratio(counted.prompt, wire.prompt),
        completion_ratio=_ratio(counted.completion, wire.completion),
        total_ratio=_ratio(counted.total, wire.total),
    )


def _sums(rows: pd.DataFrame, columns: tuple[str, str]) -> Tokens:
    prompt, completion = (float(rows[column].sum()) for column in columns)
    return Tokens(prompt=prompt, completion=completion, total=prompt + completion)


def _ratio(counted: float, wire: float) -> float | None:
    return counted / wire if wire else None


def _sum_if_known(values: pd.Series) -> float | None:
    return None if values.isna().all() else float(values.sum())
