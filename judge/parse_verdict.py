"""Find the scores in what a judge answered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from judge.json_answers import TWICE, UnusableAnswer, json_objects

LOWEST, HIGHEST = 1, 10

MAX_REASONING_CHARS = 2_000

WRITTEN_SCORE = re.compile(r"\s*(\d{1,3}(?:\.\d{1,3})?)\s*(?:(?:/|out of)\s*10)?\s*", re.ASCII)
"""A number as text: "8", "8/10", "8 out of 10". Any other scale is not converted."""


@dataclass(frozen=True, slots=True)
class ParsedVerdict:
    reasoning: str
    scores: dict[str, int]
    overall: float
    """The judge's own, not the mean."""


def parse_verdict(answer: str, criteria: Sequence[str]) -> ParsedVerdict:
    """The last JSON object with all scores in range; earlier ones may be thinking aloud.

    Raises:
        UnusableAnswer: With what was wrong with the last object, or that there was none.
    """
    problem = "no JSON object in the answer"
    found = None
    for candidate in json_objects(answer):
        try:
            found = _verdict(_flat(candidate), criteria)
        except UnusableAnswer as error:
            problem = str(error)
    if found is None:
        raise UnusableAnswer(problem)
    return found


def _flat(candidate: dict[str, Any]) -> dict[str, Any]:
    """With the scores of an inner object "scores" beside the rest."""
    inner = candidate.get("scores")
    if not isinstance(inner, dict):
        return candidate
    different = {key for key in inner.keys() & candidate.keys() if inner[key] != candidate[key]}
    return {**inner, **candidate, **dict.fromkeys(different, TWICE)}


def _verdict(candidate: dict[str, Any], criteria: Sequence[str]) -> ParsedVerdict:
    scores = {name: int(_score(candidate, name, whole=True)) for name in criteria}
    overall = _score(candidate, "overall", whole=False)
    return ParsedVerdict(str(candidate.get("reasoning", ""))[:MAX_REASONING_CHARS], scores, overall)


def _score(candidate: dict[str, Any], name: str, *, whole: bool) -> float:
    value = candidate.get(name)
    if isinstance(value, dict):
        value = value.get("score")
    if isinstance(value, str) and (written := WRITTEN_SCORE.fullmatch(value)):
        value = float(written[1])
    if value is TWICE:
        raise UnusableAnswer(f"{name} is given twice, with different values")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnusableAnswer(f"{name} is missing or no number")
    if not LOWEST <= value <= HIGHEST:
        raise UnusableAnswer(f"{name} is {str(value)[:20]}, not from {LOWEST} to {HIGHEST}")
    if whole and value != int(value):
        raise UnusableAnswer(f"{name} is {str(value)[:20]}, not a whole number")
    return float(value)
