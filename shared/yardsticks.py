"""What a report is held against. A task hands these to the judge room, which imports no task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import Field

from shared.strict import Strict

Alternatives = Annotated[tuple[str, ...], Field(min_length=1)]
"""Any one of these terms will do."""


class Criterion(Strict):
    """One thing a judge scores from 1 to 10."""

    name: str = Field(pattern=r"^[a-z][a-z_]*$")
    question: str
    anchors: dict[int, str]
    """Score -> what a report with that score looks like."""
    weight: float = Field(default=1, gt=0)
    """In the overall score; with equal weights that is the plain mean."""


class Rubric(Strict):
    name: str
    version: int = Field(ge=1)
    criteria: tuple[Criterion, ...] = Field(min_length=1)

    @property
    def label(self) -> str:
        """Name and version, as a verdict records it."""
        return f"{self.name}/{self.version}"

    def overall(self, scores: Mapping[str, float]) -> float:
        """The mean of the criteria's scores by their weights."""
        weighted = sum(criterion.weight * scores[criterion.name] for criterion in self.criteria)
        return weighted / sum(criterion.weight for criterion in self.criteria)


class ExpectedFact(Strict):
    id: str
    expect: tuple[Alternatives, ...] = Field(min_length=1)
    """A report states the fact when one of its paragraphs holds a term of each of these."""


class CheckSpec(Strict):
    """What can be counted in a report without a model."""

    name: str
    version: int = Field(ge=1)
    sections: tuple[str, ...] = ()
    min_words: int | None = None
    max_words: int | None = None
    facts: tuple[ExpectedFact, ...]
    subject: str = ""
    """What the report is about, e.g. "Stripe"."""
    sources: tuple[str, ...] = ()
    """Texts that hold all that a report can know. None: claims are not looked for."""
    language: str | None = None
    """In which the report was asked for, ISO 639-1."""

    @property
    def label(self) -> str:
        return f"{self.name}/{self.version}"


def rubric_of(label: str) -> str:
    """Of a verdict's label, which also has the version of how judges were asked: the rubric's own."""
    name, _, version = label.rpartition("/")
    return f"{name}/{version.partition('.')[0]}" if name else label


def newest_versions(labels: Iterable[str]) -> frozenset[str]:
    """Of each rubric among these labels the newest version's, by the newest way of asking.

    Scores by two of them answer two questions.
    """
    newest: dict[str, tuple[list[int], str]] = {}
    for label in labels:
        name, _, version = label.rpartition("/")
        numbers = [int(part) if part.isdecimal() else 0 for part in version.split(".")]
        newest[name or label] = max((numbers, label), newest.get(name or label, (numbers, label)))
    return frozenset(label for _, label in newest.values())
