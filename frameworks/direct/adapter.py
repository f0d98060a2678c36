"""No framework: chat completions by hand, over one kept-alive connection. The floor of every comparison."""

from __future__ import annotations

import http.client
import json
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from frameworks.handoffs import Handoffs
from frameworks.outcome import check_request, outcome_of
from shared.contract import LimitReached
from shared.prompts.hand_over import ONE_AT_A_TIME, transfer_tool, transferred
from shared.prompts.pass_on import user_turn
from shared.tools.client import call_tool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.contract import AgentSpec, Outcome, RunRequest, ToolSpec

DISTRIBUTIONS: tuple[str, ...] = ()
PATTERNS: tuple[str, ...] = ("pipeline", "handoff")
API_KEY = "none"
"""Clients insist on a key; the run's address is its permission."""


class BadAnswer(RuntimeError):
    """The model server refused, or said something that is no chat completion."""


def run(request: RunRequest) -> Outcome:
    check_request(request, PATTERNS)  # both arms are the same here: nobody adds or moves anything
    with _Chat(request) as chat:
        if request.pattern == "handoff":
            return _hand_over(chat)
        answers: dict[str, str] = {}
        for spec in request.agents:
            answers[spec.name] = _take_turn(chat, spec, [_user(user_turn(spec, answers))]).text
    return outcome_of(request, answers, chat.prompt_tokens, chat.completion_tokens)


def _hand_over(chat: _Chat) -> Outcome:
    """One conversation, carried on by whoever has control under its own instructions."""
    agents = {spec.name: spec for spec in chat.request.agents}
    handoffs = Handoffs(chat.request)
    conversation = [_user(chat.request.agents[0].request)]
    while True:
        spec = agents[handoffs.in_control]
        transfers = {name: transfer_tool(agents[name]) for name in spec.handoffs}
        end = _take_turn(chat, spec, conversation, transfers)
        if end.hand_over_to is None:
            return handoffs.outcome(end.text, chat.prompt_tokens, chat.completion_tokens)
        handoffs.add(end.hand_over_to)


@dataclass(frozen=True, slots=True)
class _End:
    """How an agent's turn ended."""

    text: str
    hand_over_to: str | None = None


def _take_turn(
    chat: _Chat,
    spec: AgentSpec,
    conversation: list[dict[str, Any]],
    transfers: Mapping[str, ToolSpec] = MappingProxyType({}),
) -> _End:
    """Model and tools until an answer or a handoff; what is said is added to the conversation."""
    targets = {tool.name: name for name, tool in transfers.items()}
    offered = (*spec.tools, *transfers.values())
    for _ in range(chat.request.max_steps):
        message = chat.complete(spec, conversation, offered)
        text, calls = message.get("content") or "", message.get("tool_calls") or []
        if not calls:
            return _End(text)
        conversation.append({"role": "assistant", "content": text or None, "tool_calls": calls})
        hand_over_to = None
        for call in calls:
            function = call["function"]
            target = targets.get(function["name"])
            if target is None:
                result = call_tool(chat.request.tools_url, function["name"], function["arguments"])
            else:
                result = ONE_AT_A_TIME if hand_over_to else transferred(target)
                hand_over_to = hand_over_to or target
            conversation.append({"role": "tool", "tool_call_id": call["id"], "content": result})
        if hand_over_to:
            return _End(text, hand_over_to)
    raise LimitReached(f"{spec.name} still called tools after {chat.request.max_steps} model calls")


def _user(content: str) -> dict[str, Any]:
    return {"role": "user", "content": content}


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

    def complete(
        self, spec: AgentSpec, conversation: list[dict[str, Any]], tools: tuple[ToolSpec, ...]
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.request.model,
            "messages": [{"role": "system", "content": spec.instructions}, *conversation],
            "temperature": self.request.temperature,
            "seed": self.request.seed,
            "max_tokens": spec.max_tokens,
        }
        if tools:
            body["tools"] = [{"type": "function", "function": asdict(tool)} for tool in tools]
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
