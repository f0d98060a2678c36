"""Precision and recall of fact matching and of claim finding on labelled passages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from scipy.stats import binomtest

from judge.checks import facts_stated
from judge.claims import unsupported_claims
from judge.labelled.passages import LabelledPassage
from judge.passage import plain, words_of
from judge.sentences import read_sentences
from shared.yardsticks import CheckSpec


@dataclass(frozen=True)
class Proportion:
    hits: int
    of: int

    @property
    def value(self) -> float | None:
        return self.hits / self.of if self.of else None

    def interval(self) -> tuple[float, float] | None:
        """95 %, Wilson."""
        if not self.of:
            return None
        found = binomtest(self.hits, self.of).proportion_ci(method="wilson")
        return float(found.low), float(found.high)


@dataclass
class Tally:
    """What was found rightly, found wrongly and missed, the latter two with where."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    @property
    def precision(self) -> Proportion:
        return Proportion(self.right, self.right + len(self.wrong))

    @property
    def recall(self) -> Proportion:
        return Proportion(self.right, self.right + len(self.missed))

    def count(self, found: Iterable[str], labelled: Iterable[str], where: str) -> None:
        found, labelled = set(found), set(labelled)
        self.right += len(found & labelled)
        self.wrong += [f"{one!r} in: {where}" for one in sorted(found - labelled)]
        self.missed += [f"{one!r} in: {where}" for one in sorted(labelled - found)]


@dataclass(frozen=True)
class Measured:
    passages: int
    sentences: int
    facts: Tally
    """Unit: a fact in a passage."""
    claims: Tally
    """Unit: a sentence."""
    parts: Tally
    """Unit: a figure or name in a sentence."""


def measure(passages: Iterable[LabelledPassage], yardsticks: Mapping[str, CheckSpec]) -> Measured:
    passages = list(passages)
    facts, claims, parts = Tally(), Tally(), Tally()
    for passage in passages:
        spec = yardsticks[passage.item]
        stated = {fact for sentence in passage.sentences for fact in sentence.facts}
        facts.count(facts_stated(passage.text, spec), stated, passage.text)
        found = _parts_by_sentence(passage, spec)
        for sentence, in_it in zip(passage.sentences, found, strict=True):
            claims.count(
                ["unsupported"] * bool(in_it), ["unsupported"] * bool(sentence.unsupported), sentence.text
            )
            named = _as_labelled(in_it, sentence.unsupported)
            parts.count(named, sentence.unsupported, sentence.text)
    return Measured(len(passages), sum(len(p.sentences) for p in passages), facts, claims, parts)


def _parts_by_sentence(passage: LabelledPassage, spec: CheckSpec) -> list[list[str]]:
    """What the check finds, for each labelled sentence; it splits the passage by itself."""
    claims, _ = unsupported_claims(read_sentences(passage.text, spec.sections), spec)
    found: list[list[str]] = []
    for sentence in passage.sentences:
        words = words_of(plain(sentence.text))
        inside = [claim for claim in claims if words_of(plain(claim.sentence)) in words]
        found.append([part for claim in inside for part in claim.unsupported])
    return found


def _as_labelled(found: Iterable[str], labelled: Iterable[str]) -> Iterator[str]:
    """The label for what was found, where one holds the other: "University" is "University of California"."""
    by_words = {words_of(plain(label)): label for label in labelled}
    for part in found:
        words = words_of(plain(part))
        same = (
            label for label_words, label in by_words.items() if words in label_words or label_words in words
        )
        yield by_words.get(words) or next(same, part)
