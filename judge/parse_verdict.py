"""Find the scores in what a judge answered: JSON, JSON in a fence, or JSON with words around it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

LOWEST, HIGHEST = 1, 10

MAX_ANSWER_CHARS = 50_000
"""Far more than a verdict; the rest of an endless answer is not looked at."""

MAX_OBJECTS_TRIED = 200
"""Opening braces tried, so that an answer of nothing but braces costs little."""

MAX_REASONING_CHARS = 2_000


class UnusableAnswer(ValueError):
    """The answer holds no complete set of scores; the message says what was wrong with it."""


@dataclass(frozen=True, slots=True)
class ParsedVerdict:
    reasoning: str
    scores: dict[str, int]
    overall: float
    """The judge's own, not the mean."""


def parse_verdict(answer: str, criteria: Sequence[str]) -> ParsedVerdict:
    """The last JSON object with all scores in range; earlier ones may be thinking aloud."""
    problem = "no JSON object in the answer"
    found = None
    for candidate in _objects(answer[:MAX_ANSWER_CHARS]):
        try:
            found = _verdict(candidate, criteria)
        except UnusableAnswer as error:
            problem = str(error)
    if found is None:
        raise UnusableAnswer(problem)
    return found


def _objects(answer: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    place = answer.find("{")
    for _ in range(MAX_OBJECTS_TRIED):
        if place < 0:
            return
        try:
            value, end = decoder.raw_decode(answer, place)
        except (ValueError, RecursionError):
            end = place + 1
        else:
            if isinstance(value, dict):
                yield value
        place = answer.find("{", end)


def _verdict(candidate: dict[str, Any], criteria: Sequence[str]) -> ParsedVerdict:
    scores = {name: int(_score(candidate, name, whole=True)) for name in criteria}
    overall = _score(candidate, "overall", whole=False)
    return ParsedVerdict(str(candidate.get("reasoning", ""))[:MAX_REASONING_CHARS], scores, overall)


def _score(candidate: dict[str, Any], name: str, *, whole: bool) -> float:
    value = candidate.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnusableAnswer(f"{name} is missing or no number")
    if not LOWEST <= value <= HIGHEST:
        raise UnusableAnswer(f"{name} is {str(value)[:20]}, not from {LOWEST} to {HIGHEST}")
    if whole and value != int(value):
        raise UnusableAnswer(f"{name} is {str(value)[:20]}, not a whole number")
    return float(value)
