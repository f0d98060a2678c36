"""When a report is accepted: the plan's key `acceptance`.

Only the analysis reads it, so it is no part of an experiment's identity: it may be changed after the runs.
"""

from __future__ import annotations

from pydantic import Field

from shared.strict import Strict


class Acceptance(Strict):
    """Bounds on what is known of a completed report. None (or false) switches a criterion off.

    The defaults are a choice, not a finding: what a reader who asked for the report could send back. Each
    name is a column of runs.csv. Whatever the bounds, only a completed run is accepted.
    """

    passed: bool = True
    """Whether the task's own exact score must have passed, where the task has one."""
    section_share: float | None = Field(default=1.0, ge=0, le=1)
    """Least share of the asked sections: all of them."""
    words_in_range: bool = True
    """Whether the length must be within the one asked for."""
    fact_recall: float | None = Field(default=0.5, ge=0, le=1)
    """Least share of the item's known facts: half of them."""
    unsupported_sentences: int | None = Field(default=3, ge=0)
    """Most sentences with a figure or name that no source holds. Not 0: the rule is wrong about one in twenty
    (docs/judge_checks.md), and an unknown figure may be true."""
    overall: float | None = Field(default=None, ge=1, le=10)
    """Least overall score. Off: with it, the judge's noise would count as the framework's."""
