"""Find the JSON objects in what a judge answered: alone, in a fence, or with words around them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

MAX_ANSWER_CHARS = 50_000
"""Far more than a verdict; the rest of an endless answer is neither looked at nor kept."""

MAX_OBJECTS_TRIED = 200
"""Opening braces tried, so that an answer of nothing but braces costs little."""

MAX_DEPTH = 3
"""Objects within objects that are looked at."""


class UnusableAnswer(ValueError):
    """The answer does not hold what was asked for; the message says what was wrong with it."""


class _Twice:
    """Stands for the values of a key that an object has twice, with different values."""

    def __str__(self) -> str:
        return "given twice"


TWICE = _Twice()


def json_objects(answer: str) -> Iterator[dict[str, Any]]:
    """All objects in the order in which they end, inner ones included; keys in lower case without blanks."""
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    answer = answer[:MAX_ANSWER_CHARS]
    place = answer.find("{")
    for _ in range(MAX_OBJECTS_TRIED):
        if place < 0:
            return
        try:
            value, end = decoder.raw_decode(answer, place)
        except (ValueError, RecursionError):
            end = place + 1
        else:
            yield from _inside_out(value, MAX_DEPTH)
        place = answer.find("{", end)


def _inside_out(value: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
    if depth:
        for inner in value.values():
            if isinstance(inner, dict):
                yield from _inside_out(inner, depth - 1)
    yield value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        name = key.strip().lower()
        found[name] = value if name not in found or found[name] == value else TWICE
    return found
