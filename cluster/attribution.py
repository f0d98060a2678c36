"""Whose step each call of a run is, read from what was sent: no framework has to tell."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from shared.calls import Call
from shared.contract import AgentSpec


def attributed(calls: Iterable[Call], agents: Sequence[AgentSpec]) -> list[Call]:
    """Each call with its agent: whose instructions it carries; of a tool call, who spoke last.

    A model call that carries no agent's instructions is the framework's own and stays without.
    """
    found: list[Call] = []
    speaking: str | None = None
    for call in calls:
        if call.kind == "model":
            agent = _agent_of(call.request, agents)
            speaking = agent or speaking
        else:
            agent = speaking
        found.append(call.model_copy(update={"agent": agent}))
    return found


def _agent_of(request: Any, agents: Sequence[AgentSpec]) -> str | None:
    """The agent whose instructions stand in the system text; of several, those that come last in the request.

    A conversation that is carried may quote earlier agents: the system text goes before any other.
    """
    if not isinstance(request, dict):
        return None
    messages = request.get("messages", request.get("input"))
    told = messages if isinstance(messages, list) else []
    system = [m for m in told if isinstance(m, dict) and m.get("role") in ("system", "developer")]
    for text in (_text([request.get("instructions"), system]), _text(told)):
        carried = [spec for spec in agents if spec.instructions and _escaped(spec.instructions) in text]
        if carried:
            return max(carried, key=lambda spec: text.rfind(_escaped(spec.instructions))).name
    return None


def _text(parts: Any) -> str:
    return json.dumps(parts, ensure_ascii=False)


def _escaped(text: str) -> str:
    """As it stands inside a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
