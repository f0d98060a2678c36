"""Put one question to a judge until its answer can be used, at most three times.

At temperature 0 the same question gets the same answer, so each further attempt says what was wrong with the
last answer and uses the next seed. A server that refuses the request, perhaps for the probabilities or the
JSON schema in it, is asked without the one and then without both. Every attempt is recorded.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from judge.chat import Answer, EndlessAnswer, JudgeEndpoint, RequestRefused, ServerFailed, ask
from judge.json_answers import MAX_ANSWER_CHARS, UnusableAnswer
from judge.weigh_scores import ALTERNATIVES
from shared.errors import JudgeUnavailable
from shared.records import JudgeAttempt

MAX_ATTEMPTS = 3

PROBABILITIES = {"logprobs": True, "top_logprobs": ALTERNATIVES}

PAUSE_S = 1.0
"""Before asking a server again that failed, e.g. one that is still loading its model."""

MAX_PAUSE_S = 30.0
"""At most, however long a service that is asked too often (429) wants to be left alone."""

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class Question(Generic[Parsed]):
    messages: Callable[[str], list[dict[str, str]]]
    """Given what was wrong with the last answer, or ""."""
    response_format: dict[str, Any]
    parse: Callable[[Answer], Parsed]
    """Raises UnusableAnswer."""
    with_probabilities: bool = False
    """Whether to ask what else each token might have been."""

    @property
    def extras(self) -> dict[str, Any]:
        """What is asked for besides an answer."""
        return {"response_format": self.response_format} | (PROBABILITIES if self.with_probabilities else {})


@dataclass(frozen=True, slots=True)
class Answered(Generic[Parsed]):
    parsed: Parsed | None
    """None: no attempt could be used."""
    attempts: list[JudgeAttempt]


def ask_until_usable(question: Question[Parsed], endpoint: JudgeEndpoint, seed: int) -> Answered[Parsed]:
    """JudgeUnavailable when the server never answered: then there is nothing to record yet."""
    tried: list[_Tried[Parsed]] = []
    complaint, extras = "", question.extras
    while len(tried) < MAX_ATTEMPTS and not (tried and tried[-1].parsed):
        if tried and tried[-1].pause_s:
            time.sleep(tried[-1].pause_s)
        body = _body(endpoint, question.messages(complaint), seed + len(tried)) | extras
        tried.append(_attempt(endpoint, body, question.parse))
        complaint = tried[-1].complaint or complaint
        if tried[-1].refused:
            extras = _fewer(extras, str(tried[-1].record.error))
    if all(attempt.pause_s for attempt in tried):
        raise JudgeUnavailable(
            f"The judge's server at {endpoint.base_url} gave no answer in {MAX_ATTEMPTS} attempts "
            f"({tried[-1].record.error}). `levelfield judge DIR` tries again."
        )
    return Answered(tried[-1].parsed, [attempt.record for attempt in tried])


@dataclass(frozen=True, slots=True)
class _Tried(Generic[Parsed]):
    record: JudgeAttempt
    parsed: Parsed | None = None
    complaint: str = ""
    """What the judge can do better next time."""
    refused: bool = False
    pause_s: float = 0.0
    """When the server failed: how long it is left alone."""


def _attempt(
    endpoint: JudgeEndpoint, body: dict[str, Any], parse: Callable[[Answer], Parsed]
) -> _Tried[Parsed]:
    started = time.monotonic()
    try:
        answer = ask(endpoint, body)
    except ServerFailed as error:
        pause_s = min(MAX_PAUSE_S, max(PAUSE_S, error.retry_after_s))
        return _Tried(_record(started, error=str(error)), pause_s=pause_s)
    except RequestRefused as error:
        return _Tried(_record(started, error=str(error)), refused=True)
    except EndlessAnswer as error:
        return _Tried(_record(started, error=str(error)), complaint=str(error))
    try:
        parsed = parse(answer)
    except UnusableAnswer as error:
        return _Tried(_record(started, answer, error=str(error)), complaint=str(error))
    return _Tried(_record(started, answer), parsed)


def _fewer(extras: dict[str, Any], refusal: str) -> dict[str, Any]:
    """Without the probabilities where the refusal names them, else without anything."""
    named = "logprobs" in refusal and extras.keys() & PROBABILITIES.keys()
    return {name: value for name, value in extras.items() if name not in PROBABILITIES} if named else {}


def _record(started: float, answer: Answer | None = None, error: str | None = None) -> JudgeAttempt:
    return JudgeAttempt(
        text=answer.text[:MAX_ANSWER_CHARS] if answer else "",
        error=error,
        prompt_tokens=answer.prompt_tokens if answer else None,
        completion_tokens=answer.completion_tokens if answer else None,
        seconds=time.monotonic() - started,
    )


def _body(endpoint: JudgeEndpoint, asked: list[dict[str, str]], seed: int) -> dict[str, Any]:
    return {
        "model": endpoint.model,
        "messages": asked,
        "temperature": 0,
        "seed": seed,
        "max_tokens": endpoint.max_tokens,
    }
