"""Ask a judge for its opinion of one report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from judge.attempts import MAX_ATTEMPTS, Question, ask_until_usable
from judge.chat import Answer, JudgeEndpoint
from judge.findings import findings
from judge.judge_prompt import messages, response_format, verdict_label
from judge.parse_verdict import ParsedVerdict, parse_verdict
from judge.presentation import present
from judge.weigh_scores import weigh_scores
from shared.records import Verdict
from shared.yardsticks import CheckSpec, Rubric


def judge_report(
    report_text: str,
    *,
    run_id: str,
    attempt_id: str,
    description: str,
    rubric: Rubric,
    evidence: str,
    checks: CheckSpec | None = None,
    endpoint: JudgeEndpoint,
    judge_name: str,
    repeat: int = 1,
    seed: int | None = None,
) -> Verdict:
    """A verdict, scored or not. JudgeUnavailable when the server never answered: then there is none yet.

    Args:
        report_text: Shown as plain text, its beginning if it is long.
        run_id: Of the report; the judge does not learn it.
        attempt_id: Likewise.
        description: What was asked for.
        rubric: What is scored.
        evidence: The known facts, a line each.
        checks: By which the judge is told what can be counted in the report; None: it is told nothing of it.
        endpoint: Who is asked.
        judge_name: Under which name.
        repeat: From 1; each has its own order of criteria and facts, see `judge.presentation`.
        seed: Of the first attempt; None: the repeat's own.
    """
    shown = present(rubric, evidence, repeat)
    first_seed = (repeat - 1) * MAX_ATTEMPTS if seed is None else seed
    names = [criterion.name for criterion in rubric.criteria]
    counted = findings(report_text, checks) if checks else ""
    question = Question(
        messages=partial(messages, report_text, description, shown.rubric, shown.evidence, counted=counted),
        response_format=response_format(shown.rubric),
        parse=partial(_opinion, criteria=names),
        with_probabilities=True,
    )
    answered = ask_until_usable(question, endpoint, first_seed)
    return Verdict(
        run_id=run_id,
        attempt_id=attempt_id,
        judge=judge_name,
        rubric=verdict_label(rubric),
        repeat=repeat,
        seed=first_seed,
        criteria_order=shown.criteria_order,
        evidence_start=shown.evidence_start,
        attempts=answered.attempts,
        **_scored(answered.parsed, rubric),
    )


@dataclass(frozen=True, slots=True)
class _Opinion:
    written: ParsedVerdict
    weighed: dict[str, float] | None


def _opinion(answer: Answer, criteria: Sequence[str]) -> _Opinion:
    """Raises UnusableAnswer."""
    written = parse_verdict(answer.text, criteria)
    return _Opinion(written, weigh_scores(answer.tokens, written.scores))


def _scored(opinion: _Opinion | None, rubric: Rubric) -> dict[str, Any]:
    if opinion is None:
        return {"scored": False}
    scores = opinion.weighed or opinion.written.scores
    return {
        "scored": True,
        "weighed": opinion.weighed is not None,
        "scores": scores,
        "overall": rubric.overall(scores),
        "judge_overall": opinion.written.overall,
        "reasoning": opinion.written.reasoning,
    }
