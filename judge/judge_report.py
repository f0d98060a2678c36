"""Ask a judge for its opinion of one report.

At most three attempts. At temperature 0 the same question gets the same answer, so each further attempt says
what was wrong with the last answer and uses the next seed. A server that refuses the request, perhaps for its
JSON schema, is asked without one. Every attempt is kept in the verdict.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from judge.chat import Answer, JudgeEndpoint, RequestRefused, ServerFailed, ask
from judge.judge_prompt import messages, response_format
from judge.parse_verdict import ParsedVerdict, UnusableAnswer, parse_verdict
from shared.errors import JudgeUnavailable
from shared.records import JudgeAttempt, Verdict
from shared.yardsticks import Rubric

MAX_ATTEMPTS = 3

PAUSE_S = 1.0
"""Before asking a server again that failed, e.g. one that is still loading its model."""


def judge_report(
    report_text: str,
    *,
    run_id: str,
    attempt_id: str,
    description: str,
    rubric: Rubric,
    evidence: str,
    endpoint: JudgeEndpoint,
    judge_name: str,
    repeat: int = 1,
    seed: int = 0,
) -> Verdict:
    """A verdict, scored or not. JudgeUnavailable when the server never answered: then there is none yet."""
    tried: list[_Tried] = []
    complaint, with_schema = "", True
    while len(tried) < MAX_ATTEMPTS and not (tried and tried[-1].parsed):
        if tried and tried[-1].server_failed:
            time.sleep(PAUSE_S)
        asked = messages(report_text, description, rubric, evidence, complaint)
        body = _body(endpoint, asked, seed + len(tried), response_format(rubric) if with_schema else None)
        tried.append(_attempt(endpoint, body, rubric))
        complaint = tried[-1].complaint or complaint
        with_schema = with_schema and not tried[-1].refused
    if all(attempt.server_failed for attempt in tried):
        raise JudgeUnavailable(
            f"The judge's server at {endpoint.base_url} gave no answer in {MAX_ATTEMPTS} attempts "
            f"({tried[-1].record.error}). `levelfield judge DIR` tries again."
        )
    return Verdict(
        run_id=run_id,
        attempt_id=attempt_id,
        judge=judge_name,
        rubric=rubric.label,
        repeat=repeat,
        attempts=[attempt.record for attempt in tried],
        **_scored(tried[-1].parsed),
    )


@dataclass(frozen=True, slots=True)
class _Tried:
    record: JudgeAttempt
    parsed: ParsedVerdict | None = None
    complaint: str = ""
    """What the judge can do better next time."""
    refused: bool = False
    server_failed: bool = False


def _attempt(endpoint: JudgeEndpoint, body: dict[str, Any], rubric: Rubric) -> _Tried:
    started = time.monotonic()
    try:
        answer = ask(endpoint, body)
    except ServerFailed as error:
        return _Tried(_record(started, error=str(error)), server_failed=True)
    except RequestRefused as error:
        return _Tried(_record(started, error=str(error)), refused=True)
    try:
        parsed = parse_verdict(answer.text, [criterion.name for criterion in rubric.criteria])
    except UnusableAnswer as error:
        return _Tried(_record(started, answer, error=str(error)), complaint=str(error))
    return _Tried(_record(started, answer), parsed)


def _record(started: float, answer: Answer | None = None, error: str | None = None) -> JudgeAttempt:
    return JudgeAttempt(
        text=answer.text if answer else "",
        error=error,
        prompt_tokens=answer.prompt_tokens if answer else None,
        completion_tokens=answer.completion_tokens if answer else None,
        seconds=time.monotonic() - started,
    )


def _body(
    endpoint: JudgeEndpoint, asked: list[dict[str, str]], seed: int, form: dict[str, Any] | None
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": endpoint.model,
        "messages": asked,
        "temperature": 0,
        "seed": seed,
        "max_tokens": endpoint.max_tokens,
    }
    return body | ({"response_format": form} if form else {})


def _scored(parsed: ParsedVerdict | None) -> dict[str, Any]:
    if parsed is None:
        return {"scored": False}
    return {
        "scored": True,
        "scores": parsed.scores,
        "overall": sum(parsed.scores.values()) / len(parsed.scores),
        "judge_overall": parsed.overall,
        "reasoning": parsed.reasoning,
    }
