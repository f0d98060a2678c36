"""What judging cost: tokens and seconds of the judges' own answers, in no run's figures."""

from __future__ import annotations

from collections.abc import Iterable

from analysis.panel.read_verdicts import Verdicts
from analysis.panel.result import JudgingCost
from shared.records import JudgeAttempt


def judging_cost(verdicts: Verdicts, judge: str) -> JudgingCost:
    """Audits are not counted: they are the judge's examination."""
    own = [v for v in verdicts.records if v.judge == judge and v.same_text_as is None]
    compared = [c for c in verdicts.comparisons if c.judge == judge]
    attempts = [attempt for v in own for attempt in v.attempts]
    attempts += [attempt for c in compared for attempt in c.attempts]
    return JudgingCost(
        verdicts=len(own),
        comparisons=len(compared),
        attempts=len(attempts),
        prompt_tokens=_sum(attempt.prompt_tokens for attempt in attempts),
        completion_tokens=_sum(attempt.completion_tokens for attempt in attempts),
        seconds=_seconds(attempts),
    )


def _seconds(attempts: Iterable[JudgeAttempt]) -> float:
    return sum(attempt.seconds for attempt in attempts)


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
