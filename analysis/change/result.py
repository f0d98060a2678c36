"""What changed between two experiments, and what a gate makes of it, as typed data. Keys are public."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from analysis.result_model import Number, Result

CHANGE_SCHEMA_VERSION = 1

ChangeMetric = Literal["latency_s", "framework_s", "tokens", "quality", "failures", "import_s"]
CHANGE_METRICS: tuple[ChangeMetric, ...] = (
    "latency_s", "framework_s", "tokens", "quality", "failures", "import_s",
)  # fmt: skip
Scope = Literal["everything", "times", "quality", "nothing"]
"""What a difference in making spoils: "nothing" where it is only worth knowing."""


class MadeDifference(Result):
    """Something that is not alike in how the two were made."""

    what: str
    base: str | None
    """As text; null where that side does not have or does not say it."""
    head: str | None
    spoils: Scope


class SideInfo(Result):
    name: str
    created_at: str | None
    levelfield: str
    runs: int
    completed: int


class Cells(Result):
    """Framework and item, e.g. "langgraph / stripe"."""

    both: int
    only_base: list[str]
    only_head: list[str]


class Change(Result):
    """One metric of one framework: head beside base, on the items that both completed, each counting once."""

    framework: str
    head_framework: str
    """The same, unless two names were asked for."""
    title: str
    arm: str
    metric: ChangeMetric
    n_items: int
    base: Number
    """Mean of the items' means."""
    head: Number
    change: Number
    """Head over base less 1, as the geometric mean over items; of failures, the difference of the shares."""
    low: Number = None
    """95 %, by the sign-flip test over items; null below 6 items."""
    high: Number = None
    p: Number = None
    """Sign-flip, two-sided, of no change."""
    p_holm: Number = None
    """The same after Holm's correction over the frameworks whose value of this metric changed at all."""
    identical: bool
    """The very same value on every shared item."""
    noise_base: Number = None
    """The noise floor on the same scale: mean over items of how far a framework is from itself."""
    noise_head: Number = None
    exceeds_noise: bool | None = None
    """Of both; null unless both are known."""
    reason: str | None = None
    """Why there is no change to tell."""


class TextChange(Result):
    """Reports of one framework that are byte-identical in both experiments, iteration by iteration."""

    framework: str
    title: str
    arm: str
    pairs: int
    same: int
    changed_items: list[str]


class Diff(Result):
    schema_version: int = CHANGE_SCHEMA_VERSION
    base: SideInfo
    head: SideInfo
    comparable: dict[ChangeMetric, bool | None]
    """Whether a change of it can be the frameworks' own; null where a side says nothing of its making."""
    made: list[MadeDifference]
    cells: Cells
    changes: list[Change]
    texts: list[TextChange]
    notes: list[str] = Field(default_factory=list)


GateStatus = Literal["regression", "no_regression", "unchanged", "undecided", "not_enough_data"]


class GateLine(Result):
    """One framework and metric held against its margin."""

    framework: str
    title: str
    arm: str
    metric: ChangeMetric
    margin: float
    """How much worse it may be: of the base's value; of failures, of all runs."""
    status: GateStatus
    text: str
    """Why, in a sentence."""
    n_items: int
    base: Number
    head: Number
    change: Number
    at_least: Number = None
    """The change is above this in 95 of 100 such gates."""
    at_most: Number = None
    p: Number = None
    """One-sided, of a change within the margin."""
    p_holm: Number = None
    """Over all that is gated; below 0.05 a regression is supported."""
    noise_base: Number = None
    noise_head: Number = None


class Gate(Result):
    schema_version: int = CHANGE_SCHEMA_VERSION
    base: SideInfo
    head: SideInfo
    made: list[MadeDifference]
    lines: list[GateLine]
    notes: list[str] = Field(default_factory=list)

    def having(self, *statuses: GateStatus) -> list[GateLine]:
        return [line for line in self.lines if line.status in statuses]
