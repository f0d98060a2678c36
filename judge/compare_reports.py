"""Ask a judge which of two reports on one item is better, in one order; the other is another question."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from judge.attempts import MAX_ATTEMPTS, Question, ask_until_usable
from judge.chat import JudgeEndpoint
from judge.compare_prompt import messages, response_format
from judge.parse_winner import parse_winner
from judge.presentation import present
from shared.judgements import Comparison
from shared.yardsticks import Rubric


@dataclass(frozen=True, slots=True)
class ComparedReport:
    attempt_id: str
    text: str


def compare_reports(
    first: ComparedReport,
    second: ComparedReport,
    *,
    task: str,
    item: str,
    description: str,
    rubric: Rubric,
    evidence: str,
    endpoint: JudgeEndpoint,
    judge_name: str,
    repeat: int = 1,
) -> Comparison:
    """With a winner, or without one when no answer could be used. Raises JudgeUnavailable as `judge_report`.

    `first` is shown as report A, `second` as report B.
    """
    shown = present(rubric, evidence, repeat)
    question = Question(
        messages=partial(messages, (first.text, second.text), description, shown.rubric, shown.evidence),
        response_format=response_format(),
        parse=lambda answer: parse_winner(answer.text),
    )
    answered = ask_until_usable(question, endpoint, (repeat - 1) * MAX_ATTEMPTS)
    return Comparison(
        judge=judge_name,
        rubric=rubric.label,
        task=task,
        item=item,
        first_attempt_id=first.attempt_id,
        second_attempt_id=second.attempt_id,
        repeat=repeat,
        winner=answered.parsed.winner if answered.parsed else None,
        reasoning=answered.parsed.reasoning if answered.parsed else "",
        attempts=answered.attempts,
    )
