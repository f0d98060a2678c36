"""Which of two reports on the same item is better: left, right, or neither."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from judge.rating.blind_report import BlindReport, by_attempt
from judge.rating.desk import Keeper
from judge.rating.markdown_tree import markdown_tree
from judge.rating.posted import PostedWinner, read_posted
from judge.rating.rater_name import name_key
from judge.rating.showing_order import Showing, order_of_pairs
from shared.judgements import Preference

Key = tuple[str, tuple[str, ...], int]
"""Who, which pair as it stood on the screen, which showing."""


class Pairing:
    page = "pairs.html"

    def __init__(self, reports: tuple[BlindReport, ...], keeper: Keeper, now: Callable[[], str]) -> None:
        """`now` gives UTC, ISO 8601."""
        self._reports = {report.id: report for report in reports}
        self._keeper = keeper
        self._now = now
        known = by_attempt(reports)
        self._preferences: dict[Key, Preference] = {}
        for found in keeper.preferences():
            first, second = known.get(found.first_attempt_id), known.get(found.second_attempt_id)
            if first and second:
                self._preferences[name_key(found.rater), (first.id, second.id), found.showing] = found

    def names(self) -> list[str]:
        return [preference.rater for preference in self._preferences.values()]

    def order(self, rater: str) -> list[Showing]:
        by_item: dict[str, list[str]] = {}
        for report in self._reports.values():
            by_item.setdefault(f"{report.task}.{report.item}", []).append(report.id)
        return order_of_pairs(by_item, rater)

    def is_done(self, rater: str, showing: Showing) -> bool:
        return self._key(rater, showing) in self._preferences

    def content(self, rater: str, showing: Showing) -> dict[str, Any]:
        first, second = (self._reports[report] for report in showing.reports)
        given = self._preferences.get(self._key(rater, showing))
        return {
            "task": first.description,
            "first": markdown_tree(first.text),
            "second": markdown_tree(second.text),
            "facts": markdown_tree(first.evidence),
            "criteria": [criterion.question for criterion in first.rubric.criteria],
            "given": given.model_dump(include={"winner", "seconds"}) if given else None,
        }

    def keep(self, rater: str, showing: Showing, posted: bytes) -> None:
        answer = read_posted(posted, PostedWinner)
        first, second = (self._reports[report] for report in showing.reports)
        preference = Preference(
            rater=rater,
            task=first.task,
            item=first.item,
            first_attempt_id=first.attempt_id,
            second_attempt_id=second.attempt_id,
            showing=showing.showing,
            rated_at=self._now(),
            **answer.model_dump(),
        )
        self._keeper.write_preference(preference)
        self._preferences[self._key(rater, showing)] = preference

    def _key(self, rater: str, showing: Showing) -> Key:
        return (name_key(rater), showing.reports, showing.showing)
