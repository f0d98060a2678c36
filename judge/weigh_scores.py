"""Scores as the mean of what a judge would have written, weighted by its own probabilities.

A small judge writes 8 for nearly every text; how sure it was of that 8 shows what it makes of the findings
that it is told, where the 8 does not (docs/judge_audit.md). The method is G-Eval's (Liu et al., EMNLP 2023,
section 2), with the probabilities that the server tells of the token that was written in place of 20 sampled
answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from judge.parse_verdict import HIGHEST, LOWEST

ALTERNATIVES = 10
"""Asked for at each token: as many as there are scores. OpenAI's own service gives 20 at most."""

LEAST_KNOWN = 0.5
"""Of the probability at a score's place that has to lie on scores: else the judge was about to say something
else there and was held to a number by its schema."""

_NUMBER = re.compile(r'[\s:"]*(\d{1,2})(?!\d)')
"""At the beginning of a token, with what models write before it."""


@dataclass(frozen=True, slots=True)
class WrittenToken:
    """One token of an answer, and what might have stood there."""

    text: str
    alternatives: Mapping[str, float]
    """Token -> probability, itself among them."""


def weigh_scores(tokens: Sequence[WrittenToken], written: Mapping[str, int]) -> dict[str, float] | None:
    """Criterion -> score from 1 to 10; None where the server told too little of any of them.

    Args:
        tokens: The whole answer.
        written: The scores that it holds.
    """
    weighed: dict[str, float] = {}
    for criterion, score in written.items():
        place = _place(tokens, criterion, score)
        mean = None if place is None else _mean(tokens, place, score)
        if mean is None:
            return None
        weighed[criterion] = mean
    return weighed or None


def _place(tokens: Sequence[WrittenToken], criterion: str, score: int) -> int | None:
    """Of the token in which the last such score begins."""
    answer = "".join(token.text for token in tokens)
    found = list(re.finditer(rf'"{re.escape(criterion)}"\s*:\s*"?{score}(?!\d)', answer))
    if not found:
        return None
    begins = found[-1].end() - len(str(score))
    end = 0
    for place, token in enumerate(tokens):
        end += len(token.text)
        if begins < end:
            return place
    return None


def _mean(tokens: Sequence[WrittenToken], place: int, score: int) -> float | None:
    known: dict[int, float] = {}
    for token, probability in tokens[place].alternatives.items():
        if (number := _NUMBER.match(token)) and LOWEST <= int(number[1]) <= HIGHEST:
            known[int(number[1])] = known.get(int(number[1]), 0.0) + probability
    if LOWEST in known and HIGHEST not in known:
        ten = known[LOWEST] * _share_of_ten(tokens, place, score)
        known |= {LOWEST: known[LOWEST] - ten, HIGHEST: ten}
    total = sum(known.values())
    if total < LEAST_KNOWN:
        return None
    return sum(number * probability for number, probability in known.items()) / total


def _share_of_ten(tokens: Sequence[WrittenToken], place: int, score: int) -> float:
    """How much of a "1" is the beginning of a 10, where the model writes one digit after the other."""
    if score not in (LOWEST, HIGHEST):
        return float(score > (LOWEST + HIGHEST) / 2)  # not told: the nearer one
    if place + 1 == len(tokens):
        return 0.0
    after = tokens[place + 1].alternatives
    told = sum(after.values())
    return (
        sum(p for token, p in after.items() if token.startswith("0")) / told
        if told
        else float(score == HIGHEST)
    )
