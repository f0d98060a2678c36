"""What is said of the reports' texts without a judge, as typed data."""

from __future__ import annotations

from pydantic import Field

from analysis.result_model import Number, Result


class UnsupportedSentence(Result):
    """One sentence of an item's reports, with figures or names in it that no source knows."""

    item: str
    sentence: str
    unsupported: list[str]
    reports: dict[str, int]
    """Framework -> reports of that item that hold it."""


class Alike(Result):
    """How alike the reports of two frameworks are on the same items, or a framework's own."""

    a: str
    b: str
    similarity: Number
    """Mean over items of the mean Jaccard index of word 5-grams, 0 to 1."""
    items: int
    """Items on which both have reports to compare."""


class ReportTexts(Result):
    checked: int | None = None
    """Reports searched for unsupported claims; null when none was."""
    claiming: int = 0
    """Sentences with such a claim, over all reports."""
    unsupported: list[UnsupportedSentence] = Field(default_factory=list)
    """Those that most reports hold first, a bounded number."""
    distinct_unsupported: int = 0
    """How many different ones the records hold."""
    alike: list[Alike] = Field(default_factory=list)
    texts_per_item: int | None = None
    """Different texts per framework and item that were compared at most, so that time stays bounded."""
    items_compared: int = 0
