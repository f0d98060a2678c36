"""Find the winner in what a judge answered about two reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from judge.json_answers import TWICE, UnusableAnswer, json_objects
from judge.parse_verdict import MAX_REASONING_CHARS
from shared.judgements import Winner

WINNERS: dict[str, Winner] = {"a": "first", "b": "second", "tie": "tie"}


@dataclass(frozen=True, slots=True)
class ParsedWinner:
    winner: Winner
    reasoning: str


def parse_winner(answer: str) -> ParsedWinner:
    """The last JSON object with a winner. Raises UnusableAnswer, with what was wrong."""
    problem = "no JSON object in the answer"
    found = None
    for candidate in json_objects(answer):
        try:
            found = _winner(candidate)
        except UnusableAnswer as error:
            problem = str(error)
    if found is None:
        raise UnusableAnswer(problem)
    return found


def _winner(candidate: dict[str, Any]) -> ParsedWinner:
    value = candidate.get("winner")
    if value is TWICE:
        raise UnusableAnswer("winner is given twice, with different values")
    if not isinstance(value, str):
        raise UnusableAnswer('winner is missing or no text: it has to be "A", "B" or "tie"')
    name = value.strip().lower().removeprefix("report ")
    if name not in WINNERS:
        raise UnusableAnswer(f'winner is "{value[:20]}", not "A", "B" or "tie"')
    return ParsedWinner(WINNERS[name], str(candidate.get("reasoning", ""))[:MAX_REASONING_CHARS])
