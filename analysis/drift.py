"""Was the model as fast at the end as at the start? Output tokens per second of runs, and of probes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from analysis.read_runs import Runs
from analysis.wire_result import Drift, ProbeMark, Probes, RunRate
from shared.surroundings import Probe

SHORTEST_S = 0.05
"""Below this the clock's and the network's part of a rate is too large."""
NO_MODEL = ("scripted:", "replay:")
"""Settings under which nobody computes an answer, so that nothing has a speed."""

Basis = Literal["decode_s", "model_s", "latency_s"]


def measure_drift(runs: Runs) -> Drift:
    basis, rates = decode_rates(runs)
    known = rates.dropna()
    probes, calls = _probes(runs), _call_rates(runs)
    if known.empty:
        return Drift(probes=probes, **calls)
    slowest, fastest = (
        _run_rate(runs.table.loc[[place]], known) for place in (known.idxmin(), known.idxmax())
    )
    return Drift(
        basis=basis,
        slowest=slowest,
        fastest=fastest,
        ratio=fastest.tokens_per_s / slowest.tokens_per_s,
        probes=probes,
        **calls,
    )


def decode_rates(runs: Runs) -> tuple[Basis | None, pd.Series]:
    """Tokens per second of each completed run whose time counts, and over which time, the same for all."""
    done = runs.answered
    if _without_model(runs):
        return None, pd.Series(np.nan, index=done.index)
    rows = done[(done["completion_tokens"] > 0) & (done["latency_s"] > 0)]
    # Where some call's decoding is not told apart, the run's tokens are more than its decode time made.
    split = rows[(rows["decode_s"] > 0) & (rows["model_unsplit_s"].fillna(0) == 0)]
    basis: Basis
    if len(split) and set(split["subject"].unique()) == set(rows["subject"].unique()):
        basis, rows = "decode_s", split
    elif (rows["model_s"] > 0).all():
        # Where the model's own time is known, framework and tool time do not dilute the rate.
        basis = "model_s"
    else:
        basis = "latency_s"
    rows = rows[rows[basis] >= SHORTEST_S]
    return (basis if len(rows) else None), rows["completion_tokens"] / rows[basis]


def order_of_runs(table: pd.DataFrame) -> pd.Series:
    """From 1, by when they started; where that is not known, by the plan's order; else NaN."""
    started = started_at(table)
    by = started if started.notna().all() else table["position"]
    return by.rank(method="first") if by.notna().all() else pd.Series(np.nan, index=table.index)


def started_at(table: pd.DataFrame) -> pd.Series:
    return pd.to_datetime(table["started_at"], format="ISO8601", utc=True, errors="coerce")


def _call_rates(runs: Runs) -> dict[str, float]:
    """Of single model calls, the extremes over all runs whose times count."""
    done = runs.answered
    if _without_model(runs):
        return {}
    return {
        "slowest_call_tokens_per_s": done["slowest_call_tokens_per_s"].min(),
        "fastest_call_tokens_per_s": done["fastest_call_tokens_per_s"].max(),
    }


def _without_model(runs: Runs) -> bool:
    return runs.manifest.setting("llm_model").startswith(NO_MODEL)


def _run_rate(row: pd.DataFrame, rates: pd.Series) -> RunRate:
    """`row`: a table of one run."""
    return RunRate(
        framework=row["subject"].iloc[0],
        item=row["item"].iloc[0],
        iteration=int(row["iteration"].iloc[0]),
        tokens_per_s=rates[row.index].iloc[0],
    )


def _probes(runs: Runs) -> Probes | None:
    probes = runs.stored.probes
    if not probes:
        return None
    basis, rates = (None, [None] * len(probes)) if _without_model(runs) else _probe_rates(probes)
    starts = started_at(runs.table)
    made = pd.to_datetime(
        pd.Series([probe.at for probe in probes]), format="ISO8601", utc=True, errors="coerce"
    )
    known = [rate for rate in rates if rate is not None]
    return Probes(
        n=len(probes),
        failed=sum(probe.error is not None for probe in probes),
        basis=basis,
        slowest=min(known, default=None),
        fastest=max(known, default=None),
        ratio=max(known) / min(known) if known else None,
        texts=len({probe.text_sha256 for probe in probes if probe.text_sha256}),
        marks=[
            ProbeMark(
                order=float((starts < at).sum()) + 0.5,
                node=probe.node,
                block=probe.block,
                when=probe.when,
                at=probe.at,
                tokens_per_s=rate,
            )
            for probe, at, rate in zip(probes, made, rates, strict=True)
        ],
    )  # fmt: skip


def _probe_rates(
    probes: Sequence[Probe],
) -> tuple[Literal["decode_s", "seconds"] | None, list[float | None]]:
    answered = [
        probe for probe in probes if probe.error is None and probe.completion_tokens and probe.seconds
    ]
    if not answered:
        return None, [None] * len(probes)
    basis: Literal["decode_s", "seconds"] = (
        "decode_s" if all(probe.decode_s for probe in answered) else "seconds"
    )
    return basis, [
        (probe.completion_tokens or 0) / (getattr(probe, basis) or np.nan) if probe in answered else None
        for probe in probes
    ]
