"""Answers that come in beside those that are here: the later one of the same question counts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from judge.rating.blind_report import BlindReport, by_attempt
from judge.rating.rater_name import name_key
from shared.judgements import Preference, Rating

Answer = TypeVar("Answer", Rating, Preference)
CONTENT = {"rubric", "scores", "comment", "winner", "seconds"}
"""Without when: a file that comes in twice, its times left blank, changes nothing."""


@dataclass
class Merged(Generic[Answer]):
    new: list[Answer] = field(default_factory=list)
    replacing: list[Answer] = field(default_factory=list)
    same: int = 0
    older: int = 0
    """Left out: what is here was given later."""

    @property
    def to_write(self) -> list[Answer]:
        return self.new + self.replacing


def merge_answers(
    coming: list[Answer], here: list[Answer], reports: tuple[BlindReport, ...]
) -> Merged[Answer]:
    known = by_attempt(reports)
    stored = {_key(answer, known): answer for answer in here if set(_attempts(answer)) <= set(known)}
    merged = Merged[Answer]()
    for answer in coming:
        before = stored.get(_key(answer, known))
        if before is None:
            merged.new.append(answer)
        elif before.model_dump(include=CONTENT) == answer.model_dump(include=CONTENT):
            merged.same += 1
        elif _at(answer) >= _at(before):
            merged.replacing.append(answer)
        else:
            merged.older += 1
    return merged


def _attempts(answer: Rating | Preference) -> tuple[str, ...]:
    if isinstance(answer, Rating):
        return (answer.attempt_id,)
    return answer.first_attempt_id, answer.second_attempt_id


def _key(answer: Rating | Preference, known: dict[str, BlindReport]) -> tuple[object, ...]:
    reports = [known[attempt_id].id for attempt_id in _attempts(answer)]
    return (name_key(answer.rater), *reports, answer.showing)


def _at(answer: Rating | Preference) -> dt.datetime:
    at = dt.datetime.fromisoformat(answer.rated_at)
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
