"""Ratings that come in beside those that are here: the later one of the same report counts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from judge.rating.blind_report import BlindReport, by_attempt
from judge.rating.rater_name import name_key
from shared.judgements import Rating


@dataclass
class Merged:
    new: list[Rating] = field(default_factory=list)
    replacing: list[Rating] = field(default_factory=list)
    same: int = 0
    older: int = 0
    """Left out: what is here was rated later."""

    @property
    def to_write(self) -> list[Rating]:
        return self.new + self.replacing


def merge_ratings(coming: list[Rating], here: list[Rating], reports: tuple[BlindReport, ...]) -> Merged:
    known = by_attempt(reports)
    stored = {
        (name_key(rating.rater), known[rating.attempt_id].id, rating.showing): rating
        for rating in here
        if rating.attempt_id in known
    }
    merged = Merged()
    for rating in coming:
        before = stored.get((name_key(rating.rater), known[rating.attempt_id].id, rating.showing))
        if before is None:
            merged.new.append(rating)
        elif _content(before) == _content(rating):
            merged.same += 1
        elif _at(rating) >= _at(before):
            merged.replacing.append(rating)
        else:
            merged.older += 1
    return merged


def _content(rating: Rating) -> dict[str, object]:
    """Without when: a sheet that comes in twice, its times left blank, changes nothing."""
    return rating.model_dump(include={"rubric", "scores", "comment", "seconds"})


def _at(rating: Rating) -> dt.datetime:
    at = dt.datetime.fromisoformat(rating.rated_at)
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
