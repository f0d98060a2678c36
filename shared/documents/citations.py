"""Which passages an answer cites, held against those that were handed over. Standard library only.

A citation is a number in square brackets, `[2]` or `[1, 3]`. What decides is the list of passages and not the
answer's word: a number that nobody handed over is made up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

_GROUP = re.compile(r"\[\s*(\d{1,4}(?:\s*[,;]\s*\d{1,4})*)\s*\](?!\()")
"""Not before a bracket: that is a link of Markdown's."""
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
NOT_FOUND = "Not in the documents."
"""What an answer says, and nothing else, when the passages hold none."""
_NOT_FOUND = re.compile(
    r"\bnot\s+(?:\w+\s+){0,2}in\s+(?:the|these|any\s+of\s+the)\s+(?:documents?|passages?)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Citations:
    real: tuple[int, ...]
    """Numbers of passages that were handed over, in the order of their first mention."""
    made_up: tuple[int, ...]


def citations(answer: str, handed_over: Collection[int]) -> Citations:
    numbers = [int(number) for group in _GROUP.findall(answer) for number in re.findall(r"\d+", group)]
    once = tuple(dict.fromkeys(numbers))
    known = set(handed_over)
    return Citations(
        tuple(number for number in once if number in known),
        tuple(number for number in once if number not in known),
    )


def mark_made_up(answer: str, made_up: Collection[int]) -> str:
    """The answer with each citation of nothing shown as such."""

    def marked(match: re.Match[str]) -> str:
        numbers = [int(number) for number in re.findall(r"\d+", match.group(1))]
        shown = (f"{number}: no such passage" if number in made_up else str(number) for number in numbers)
        return f"[{', '.join(shown)}]"

    return _GROUP.sub(marked, answer)


def says_not_found(answer: str) -> bool:
    """Whether it says that the documents do not tell. One that cites a passage all the same says both."""
    return bool(_NOT_FOUND.search(answer))


def unsupported_figures(answer: str, cited: Iterable[str]) -> tuple[str, ...]:
    """Figures of the answer, citations aside, that are in none of the cited passages."""
    said = {_plain(figure) for text in cited for figure in _FIGURE.findall(text)}
    figures = dict.fromkeys(_FIGURE.findall(_GROUP.sub(" ", answer)))
    return tuple(figure for figure in figures if _plain(figure) not in said)


def _plain(figure: str) -> str:
    return figure.replace(",", "")
