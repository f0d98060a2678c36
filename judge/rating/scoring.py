"""Scores of one report at a time, from 1 to 10 for each criterion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from judge.rating.blind_report import BlindReport, by_attempt
from judge.rating.desk import BadAnswer, Keeper
from judge.rating.markdown_tree import markdown_tree
from judge.rating.posted import PostedScores, missing_and_unknown, read_posted
from judge.rating.rater_name import name_key
from judge.rating.showing_order import Showing, order_of_reports
from shared.judgements import Rating
from shared.yardsticks import Criterion

Key = tuple[str, str, int]
"""Who, which report, which showing."""


class Scoring:
    page = "scores.html"

    def __init__(self, reports: tuple[BlindReport, ...], keeper: Keeper, now: Callable[[], str]) -> None:
        """`now` gives UTC, ISO 8601."""
        self._reports = {report.id: report for report in reports}
        self._keeper = keeper
        self._now = now
        self._ratings = ratings_by_key(keeper.ratings(), reports)

    def names(self) -> list[str]:
        return [rating.rater for rating in self._ratings.values()]

    def order(self, rater: str) -> list[Showing]:
        return order_of_reports(self._reports, rater)

    def is_done(self, rater: str, showing: Showing) -> bool:
        return self._key(rater, showing) in self._ratings

    def content(self, rater: str, showing: Showing) -> dict[str, Any]:
        report = self._reports[showing.reports[0]]
        given = self._ratings.get(self._key(rater, showing))
        return {
            "task": report.description,
            "report": markdown_tree(report.text),
            "facts": markdown_tree(report.evidence),
            "criteria": [_criterion(criterion) for criterion in report.rubric.criteria],
            "given": given.model_dump(include={"scores", "comment", "seconds"}) if given else None,
        }

    def keep(self, rater: str, showing: Showing, posted: bytes) -> None:
        answer, report = read_posted(posted, PostedScores), self._reports[showing.reports[0]]
        wrong = missing_and_unknown(answer.scores, [criterion.name for criterion in report.rubric.criteria])
        if wrong:
            raise BadAnswer(wrong)
        rating = Rating(
            rater=rater,
            rubric=report.rubric.label,
            run_id=report.run_id,
            attempt_id=report.attempt_id,
            showing=showing.showing,
            rated_at=self._now(),
            **answer.model_dump(),
        )
        self._keeper.write_rating(rating)
        self._ratings[self._key(rater, showing)] = rating

    def _key(self, rater: str, showing: Showing) -> Key:
        return (name_key(rater), showing.reports[0], showing.showing)


def ratings_by_key(ratings: list[Rating], reports: tuple[BlindReport, ...]) -> dict[Key, Rating]:
    """Those of reports that are here, by the rubric that is in use: others are to be given again."""
    known = by_attempt(reports)
    return {
        (name_key(rating.rater), report.id, rating.showing): rating
        for rating in ratings
        if (report := known.get(rating.attempt_id)) and report.rubric.label == rating.rubric
    }


def _criterion(criterion: Criterion) -> dict[str, Any]:
    anchors = [{"score": score, "words": words} for score, words in sorted(criterion.anchors.items())]
    return {"name": criterion.name, "question": criterion.question, "anchors": anchors}
