"""What one judge thinks of each report: its repeats taken together, of the newest rubric that it has used."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from pydantic import Field

from shared.records import Verdict
from shared.strict import Strict
from shared.yardsticks import newest_versions


class MeanVerdict(Strict):
    """Means over the repeats that have scores; without any, no scores."""

    judge: str
    rubric: str
    repeats: int
    """With scores."""
    scores: dict[str, float] = Field(default_factory=dict)
    overall: float | None = None
    judge_overall: float | None = None
    same_text_as: str | None = None


def mean_verdicts(verdicts: Iterable[Verdict], judge: str) -> dict[str, MeanVerdict]:
    """By attempt id. Verdicts of an older version of a rubric are left out: they answer another question."""
    of_judge = [verdict for verdict in verdicts if verdict.judge == judge]
    newest = newest_versions(verdict.rubric for verdict in of_judge)
    by_attempt: dict[str, list[Verdict]] = {}
    for verdict in of_judge:
        if verdict.rubric in newest:
            by_attempt.setdefault(verdict.attempt_id, []).append(verdict)
    return {attempt_id: _mean(repeats) for attempt_id, repeats in by_attempt.items()}


def _mean(repeats: list[Verdict]) -> MeanVerdict:
    scored = [verdict for verdict in repeats if verdict.scored]
    names = scored[0].scores if scored else {}
    overall = [verdict.overall for verdict in scored if verdict.overall is not None]
    own = [verdict.judge_overall for verdict in scored if verdict.judge_overall is not None]
    return MeanVerdict(
        judge=repeats[0].judge,
        rubric=repeats[0].rubric,
        repeats=len(scored),
        scores={name: fmean(verdict.scores[name] for verdict in scored) for name in names},
        overall=fmean(overall) if overall else None,
        judge_overall=fmean(own) if own else None,
        same_text_as=repeats[0].same_text_as,
    )
