"""Latency predicted from the wire record and a model's rates, as typed data."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from analysis.result_model import Number, Result


class Fit(Result):
    """How well constant rates describe the calls that they were measured on."""

    calls: int
    basis: Literal["stages", "whole calls"]
    """Stages: prefill and decode were told apart for every call, so each rate has its own line."""
    median_error: Number
    """Median over calls of |predicted - measured| / measured, of the time at the model."""
    r_squared: Number
    """Of the same; null where all calls took equally long."""


class Rates(Result):
    """Seconds of a call = call_s + input not cached / prefill + output / decode."""

    prefill_tokens_per_s: Number
    """Null: no time that grows with the input could be seen."""
    decode_tokens_per_s: Number
    call_s: float = Field(ge=0)
    """What a call takes whatever its length, waiting at the server included."""
    source: str
    """Where they come from, in words."""
    fit: Fit | None = None
    """Null where all of them were given."""


class Workload(Result):
    """What a framework asks of a model: means over its completed runs whose times count."""

    runs: int
    latency_s: float
    """As measured."""
    other_s: float
    """Of it not at the model: framework, tools, gateway."""
    fresh_tokens: float
    """Input that was not cached."""
    cached_tokens: float
    output_tokens: float
    model_calls: float
    overlap: float
    """Time at the model over the sum of its calls' times: 1 where calls follow one another."""


class Predicted(Result):
    workload: Workload
    predicted_s: float
    machine_cost: Number = None
    """Of the machine for that long, where its price by the hour was given."""


class WhatIf(Result):
    """`frameworks` is empty and `reason` says why where nothing could be predicted."""

    rates: Rates | None = None
    frameworks: dict[str, Predicted] = Field(default_factory=dict)
    reason: str | None = None


class FrameworkError(Result):
    runs: int
    """Of the experiment that is predicted."""
    measured_s: float
    predicted_s: float
    error: Number
    """predicted / measured - 1, of the two means."""
    median_run_error: Number
    """Median over its runs of |predicted - measured| / measured."""
    own_records_error: Number
    """`error` when predicted from its own token counts: what constant rates alone get wrong."""


class Validation(Result):
    """One experiment's latencies predicted from another's records, beside what was measured."""

    rates: Rates
    """Of the experiment that is predicted."""
    frameworks: dict[str, FrameworkError]
    runs: int
    median_run_error: Number
    median_framework_error: Number
    """Median over frameworks of |error|."""
    largest_framework_error: Number
    own_records_median_framework_error: Number
    kendall_tau: Number
    """Of predicted and measured order of the frameworks, 1 where they agree; null below three frameworks."""
