"""Questions on the shipped documents, and how far up the passage that answers each was found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import yaml

from analysis.mean_interval import Values, bca_interval
from benchmarks.result import Figure, figure
from judge.labelled.measure import Proportion
from shared.documents.passage import Passage
from shared.strict import Strict

QUESTIONS = Path(__file__).with_name("retrieval_questions.yaml")
DEPTHS = (1, 3, 5)

Ranks = Mapping[str, Sequence[int | None]]
"""By way, for each question: of the right passage, from 1, or None."""
Interval = tuple[float, float] | None


class Question(Strict):
    question: str
    asked: Literal["words", "meaning", "codes", "alike", "keywords", "typos", "places"]
    file: str
    page: int | None = None
    says: str

    def answered_by(self, passage: Passage) -> bool:
        right_place = passage.file == self.file and self.page in (None, passage.page)
        return right_place and self.says in " ".join(passage.text.split())


class Questions(Strict):
    tuned: list[Question]
    """The fusion was chosen with these."""
    held_out: list[Question]
    """Nothing was chosen with these."""


def read_questions() -> Questions:
    return Questions.model_validate(yaml.safe_load(QUESTIONS.read_text(encoding="utf-8")))


def rank_of(asked: Question, found: Iterable[Passage]) -> int | None:
    return next((rank for rank, passage in enumerate(found, 1) if asked.answered_by(passage)), None)


def quality_figures(named: str, questions: Sequence[Question], ranks: Ranks, ours: str) -> list[Figure]:
    """Of all questions hit@k and MRR, of each kind the MRR: a kind has too few for more."""
    figures = []
    for depth in DEPTHS:
        shares = {way: [_hits(found, depth) / len(found)] for way, found in ranks.items()}
        figures.append(figure(f"hit@{depth}, {named}", "share", shares, ours, with_ratios=False))
    reciprocals = {way: _reciprocals(found) for way, found in ranks.items()}
    kinds = [asked.asked for asked in questions]
    for kind in (None, *dict.fromkeys(kinds)):
        chosen = np.array([kind in (None, one) for one in kinds])
        name = f"MRR, {named}" if kind is None else f"MRR, {named}, {kind} ({chosen.sum()})"
        means = {way: [float(values[chosen].mean())] for way, values in reciprocals.items()}
        figures.append(figure(name, "", means, ours, with_ratios=False))
    return figures


def intervals(ranks: Ranks, ours: str) -> dict[str, dict[str, Interval]]:
    """95 %: of hit@k Wilson's, of the MRR and of how far ours is above the others a bootstrap over questions.

    None where the bootstrap is not apt: below 30 questions, or where all of them are alike.
    """
    reciprocals = {way: _reciprocals(found) for way, found in ranks.items()}
    of: dict[str, dict[str, Interval]] = {}
    for way, found in ranks.items():
        hits = {depth: Proportion(_hits(found, depth), len(found)) for depth in DEPTHS}
        of[way] = {f"hit@{depth}": share.interval() for depth, share in hits.items()}
        of[way]["MRR"] = _mean_interval(reciprocals[way])
    for way in ranks:
        if way != ours:
            of[f"{ours} - {way}"] = {"MRR": _mean_interval(reciprocals[ours] - reciprocals[way])}
    return of


def mean_reciprocal(found: Sequence[int | None]) -> float:
    return float(_reciprocals(found).mean())


def _mean_interval(values: Values) -> Interval:
    (low,), (high,) = bca_interval(values[np.newaxis])
    return None if np.isnan(low) else (float(low), float(high))


def _hits(found: Sequence[int | None], depth: int) -> int:
    return sum(rank is not None and rank <= depth for rank in found)


def _reciprocals(found: Sequence[int | None]) -> Values:
    return np.array([1 / rank if rank else 0.0 for rank in found])
