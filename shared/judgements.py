"""What judges and people say of reports besides plain verdicts: comparisons, audits, ratings, preferences."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.records import SCHEMA_VERSION, JudgeAttempt
from shared.strict import Strict

Winner = Literal["first", "second", "tie"]


class Comparison(Strict):
    """Which of two reports on the same item a judge finds better, shown in this order."""

    schema_version: int = SCHEMA_VERSION
    judge: str
    rubric: str
    task: str
    item: str
    first_attempt_id: str
    """Of the report shown first; the other order is another comparison."""
    second_attempt_id: str
    repeat: int = Field(default=1, ge=1)
    winner: Winner | None = None
    """None: no answer could be used, a recorded failure."""
    reasoning: str = ""
    attempts: list[JudgeAttempt]


class AuditVerdict(Strict):
    """A judge's scores of a real report, or of a copy with one planted defect."""

    schema_version: int = SCHEMA_VERSION
    judge: str
    rubric: str
    run_id: str
    """Of the report itself."""
    attempt_id: str
    defect: str = ""
    """What was planted, a key of `shared.defects.DEFECTS`; empty: the report as it is."""
    repeat: int = Field(default=1, ge=1)
    text_sha256: str
    """Of what the judge was shown."""
    words: int | None = None
    """In it, as the checks count them."""
    not_planted: str = ""
    """Why this report has no place for the defect; then nobody was asked."""
    scored: bool
    scores: dict[str, int | float] = Field(default_factory=dict)
    weighed: bool = False
    """As a verdict has it."""
    overall: float | None = None
    """From the criteria's scores, as a verdict has it."""
    judge_overall: float | None = None
    attempts: list[JudgeAttempt]


class Rating(Strict):
    """A person's scores of one report, given without knowing whose it is."""

    schema_version: int = SCHEMA_VERSION
    rater: str
    rubric: str
    run_id: str
    attempt_id: str
    showing: int = Field(default=1, ge=1)
    """2: the same report shown again, to see whether the rater agrees with himself."""
    scores: dict[str, int]
    """Criterion -> 1..10."""
    seconds: float | None = Field(default=None, ge=0)
    """How long it was on the screen."""
    rated_at: str
    """UTC, ISO 8601."""
    comment: str = ""

    @property
    def overall(self) -> float:
        return sum(self.scores.values()) / len(self.scores)


class Preference(Strict):
    """Which of two reports on the same item a person finds better."""

    schema_version: int = SCHEMA_VERSION
    rater: str
    task: str
    item: str
    first_attempt_id: str
    """Shown on the left, or above."""
    second_attempt_id: str
    showing: int = Field(default=1, ge=1)
    winner: Winner
    seconds: float | None = Field(default=None, ge=0)
    rated_at: str
