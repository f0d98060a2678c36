"""No framework: chat completions by hand, over one kept-alive connection. The floor of every comparison."""

from __future__ import annotations

import http.client
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from frameworks.outcome import check_arm, outcome_of
from shared.contract import LimitReached
from shared.prompts.pass_on import user_turn
from shared.tools.client import call_tool

if TYPE_CHECKING:
    from shared.contract import AgentSpec, Outcome, RunRequest

DISTRIBUTIONS: tuple[str, ...] = ()
API_KEY = "none"
"""Clients insist on a key; the run's address is its permission."""


class BadAnswer(RuntimeError):
    """The model server refused, or said something that is no chat completion."""


def run(request: RunRequest) -> Outcome:
    check_arm(request)  # both arms are the same here: nobody adds or moves anything
    with _Chat(request) as chat:
        answers: dict[str, str] = {}
        for spec in request.agents:
            answers[spec.name] = _ask(chat, spec, user_turn(spec, answers))
    return outcome_of(request, answers, chat.prompt_tokens, chat.completion_tokens)


def _ask(chat: _Chat, spec: AgentSpec, turn: str) -> str:
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": spec.instructions},
        {"role": "user", "content": turn},
    ]
    for _ in range(chat.request.max_steps):
        message = chat.complete(spec, messages)
        calls = message.get("tool_calls") or []
        if not calls:
            return message.get("content") or ""
        messages.append({"role": "assistant", "content": message.get("content") or None, "tool_calls": calls})
        for call in calls:
            function = call["function"]
            result = call_tool(chat.request.tools_url, function["name"], function["arguments"])
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    raise LimitReached(f"{spec.name} still called tools after {chat.request.max_steps} model calls")


class _Chat:
    """A connection to the run's endpoint, and the tokens that it reported."""

    def __init__(self, request: RunRequest) -> None:
        self.request = request
        self.prompt_tokens: int | None = None
        self.completion_tokens: int | None = None
        address = urlsplit(request.base_url)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(address.netloc, timeout=request.request_timeout_s)
        self._path = f"{address.path.rstrip('/')}/chat/completions"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def complete(self, spec: AgentSpec, messages: list[dict[str, Any]]) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.request.model,
            "messages": messages,
            "temperature": self.request.temperature,
            "seed": self.request.seed,
            "max_tokens": spec.max_tokens,
        }
        if spec.tools:
            body["tools"] = [{"type": "function", "function": asdict(tool)} for tool in spec.tools]
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {API_KEY}"}
        self._connection.request("POST", self._path, json.dumps(body), headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise BadAnswer(
                f"the model server answered {answer.status}: {text[:500].decode(errors='replace')}"
            )
        return self._read(text)

    def _read(self, text: bytes) -> dict[str, Any]:
        try:
            completion = json.loads(text)
            message: dict[str, Any] = completion["choices"][0]["message"]
        except (ValueError, LookupError, TypeError) as error:
            raise BadAnswer(f"this is no chat completion: {text[:500].decode(errors='replace')}") from error
        if usage := completion.get("usage"):
            self.prompt_tokens = (self.prompt_tokens or 0) + usage["prompt_tokens"]
            self.completion_tokens = (self.completion_tokens or 0) + usage["completion_tokens"]
        return message
