"""A made-up experiment that people rated: reports of a known quality, a judge, raters, all seeded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from analysis.analyse import analyse
from analysis.people_result import People
from analysis.read_runs import read_runs
from analysis.result import Analysis
from cluster.runs_csv import write_runs_csv
from shared.judgement_store import Judgements
from shared.judgements import Comparison, Preference, Rating
from shared.plan import TaskPlan
from shared.records import RunKey, RunRecord
from shared.store import Store
from tests.unit.stored_records import JUDGE, begun, run, verdict

CRITERIA = ("completeness", "accuracy")
RUBRIC = "t/1"


@dataclass
class Rated:
    store: Store
    records: list[RunRecord] = field(default_factory=list)
    quality: dict[str, list[float]] = field(default_factory=dict)
    """Framework -> what its reports are worth, before anybody scores them."""

    @property
    def judgements(self) -> Judgements:
        return Judgements(self.store.folder)

    def rate(
        self,
        rater: str,
        record: RunRecord,
        scores: Mapping[str, int] | int,
        *,
        showing: int = 1,
        rubric: str = RUBRIC,
        at: str = "2026-01-03T00:00:00+00:00",
    ) -> None:
        given = dict.fromkeys(CRITERIA, scores) if isinstance(scores, int) else dict(scores)
        self.judgements.write_rating(
            Rating(
                rater=rater, rubric=rubric, run_id=record.key.run_id, attempt_id=record.attempt_id,
                showing=showing, scores=given, seconds=40.0, rated_at=at,
            )
        )  # fmt: skip

    def judge(self, record: RunRecord, score: int, judge: str = JUDGE) -> None:
        scores = dict.fromkeys(CRITERIA, score)
        self.store.write_verdict(verdict(record, judge=judge, scores=scores, overall=float(score)))

    def prefer(self, first: RunRecord, second: RunRecord, winner: str, rater: str = "Ann") -> None:
        self.judgements.write_preference(
            Preference(
                rater=rater, task="t", item=first.key.item, first_attempt_id=first.attempt_id,
                second_attempt_id=second.attempt_id, winner=winner, rated_at="2026-01-03T00:00:00+00:00",
            )
        )  # fmt: skip

    def compare(self, first: RunRecord, second: RunRecord, winner: str) -> None:
        self.judgements.write_comparison(
            Comparison(
                judge=JUDGE, rubric=RUBRIC, task="t", item=first.key.item, winner=winner, attempts=[],
                first_attempt_id=first.attempt_id, second_attempt_id=second.attempt_id,
            )
        )  # fmt: skip

    def analyse(self) -> Analysis:
        write_runs_csv(self.store)
        return analyse(read_runs(self.store.folder))

    def people(self) -> People:
        found = self.analyse().people
        assert found is not None
        return found


def unrated(
    folder: Path,
    frameworks: Sequence[str] = ("a", "b"),
    items: Sequence[str] = ("x",),
    iterations: int = 1,
    *,
    copies: bool = False,
) -> Rated:
    """Runs alone. `copies`: every iteration of a framework on an item gives the same text."""
    found = Rated(begun(folder, frameworks=list(frameworks), tasks=[TaskPlan(name="t", items=list(items))]))
    for framework in frameworks:
        for item in items:
            for iteration in range(1, iterations + 1):
                text = f"{framework} on {item}" + ("" if copies else f", {iteration}")
                record = run(
                    key=RunKey(
                        framework=framework, arm="idiomatic", task="t", item=item, iteration=iteration
                    ),
                    attempt_id=f"{framework}-{item}-{iteration}",
                    position=len(found.records),
                    text=text,
                )
                found.records.append(found.store.write_run(record, []))
    return found


def rated(
    folder: Path,
    *,
    frameworks: Mapping[str, float],
    items: int = 12,
    iterations: int = 2,
    raters: Mapping[str, float],
    share: float = 1.0,
    bias: float = 2.0,
    judge_sd: float = 0.7,
    seed: int = 1,
) -> Rated:
    """Quality by framework, leniency by rater; a judge that is `bias` too kind; a random share is rated."""
    random = np.random.default_rng(seed)
    found = unrated(folder, list(frameworks), [f"i{n:02}" for n in range(items)], iterations)
    for record in found.records:
        quality = frameworks[record.key.framework] + random.normal(0, 1)
        found.quality.setdefault(record.key.framework, []).append(quality)
        found.judge(record, _score(quality + bias + random.normal(0, judge_sd)))
        if random.random() < share:
            for rater, leniency in raters.items():
                scores = {name: _score(quality + leniency + random.normal(0, 0.7)) for name in CRITERIA}
                found.rate(rater, record, scores)
    return found


def _score(value: float) -> int:
    return int(np.clip(round(value), 1, 10))
