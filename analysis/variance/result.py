"""A variance taken apart, as typed data. Keys are public."""

from __future__ import annotations

from pydantic import Field

from analysis.result_model import Number, Result


class VarianceShare(Result):
    variance: float
    share: float


class VarianceBudget(Result):
    """Where the variance of a metric comes from: components, and their share of the sum."""

    verdicts: int = 0
    texts: int = 0
    items: int = 0
    runs: int = 0
    """Of latency and tokens; 0 for quality, which counts verdicts and texts."""
    parts: dict[str, VarianceShare] = Field(default_factory=dict)
    """task, framework, framework_by_task, run, node; of quality also judge_leniency (with several judges)
    and judge_noise. Absent: not estimable, see `notes`."""
    judge_share: Number = None
    """judge_leniency and judge_noise together."""
    notes: list[str] = Field(default_factory=list)
    reason: str | None = None
    """Why there are no parts."""
