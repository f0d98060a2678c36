"""Whose step each model call of a run is, which request of the step, and which are the framework's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.fairness.answers import Answer, read_answer
from analysis.fairness.changed import LEAST_SHARE, find_changed
from analysis.fairness.messages import Conversation, read_conversation, texts_of
from shared.brief import AgentBrief, Brief
from shared.calls import Call

Kind = Literal["step", "hidden", "retry"]
SYSTEM_ROLES = ("system", "developer")
Told = tuple[Call, Conversation | None]
"""A model call and what it says."""


@dataclass(frozen=True, slots=True)
class Request:
    """A model call as the proof sees it."""

    call: Call
    agent: str | None
    kind: Kind
    number: int
    """Within the agent's step, from 1; 0 when it is none of the step's."""
    conversation: Conversation | None
    """None when it is no chat completion's request."""
    answer: Answer | None


def lay_out(calls: Sequence[Call], brief: Brief, names: Sequence[str] = ()) -> list[Request]:
    """The model calls in order. A step goes on only after an answer that called tools.

    Args:
        calls: Of one run.
        brief: What it was handed; without agents when nobody knows that any more.
        names: The agents in order, for a run whose brief has none.
    """
    told = [(call, read_conversation(call.request)) for call in calls if call.kind == "model"]
    agents = assign(told, brief) if brief.agents else _assign_in_order(told, names)
    last: dict[str, Request] = {}
    requests = []
    for call, conversation in told:
        agent = agents[call.sequence]
        before = last.get(agent) if agent is not None else None
        kind, number = _place(call, agent, before) if any(agents.values()) else ("step", 0)
        request = Request(call, agent, kind, number, conversation, read_answer(call))
        requests.append(request)
        if agent is not None and kind != "hidden":
            last[agent] = request
    return requests


def assign(told: Sequence[Told], brief: Brief) -> dict[int, str | None]:
    """Sequence of each model call -> its agent, as recorded; where nothing is, read from what was sent.

    A call recorded without an agent may still be a step whose prompt was changed: agents that nobody spoke
    for are looked for in it.
    """
    found = {call.sequence: call.agent for call, _ in told}
    if not any(found.values()):
        found = {call.sequence: _carried(conversation, brief.agents) for call, conversation in told}
    silent = [agent for agent in brief.agents if agent.name not in set(found.values())]
    for call, conversation in told:
        if silent and found[call.sequence] is None:
            found[call.sequence] = _resembled(conversation, silent)
    return found


def _assign_in_order(told: Sequence[Told], names: Sequence[str]) -> dict[int, str | None]:
    """By the order in which new system texts come up, where there are as many as agents; else nobody's."""
    systems = {call.sequence: _system_text(conversation) for call, conversation in told}
    texts = [text for text in dict.fromkeys(systems.values()) if text]
    agent_of = dict(zip(texts, names, strict=True)) if len(texts) == len(names) else {}
    return {sequence: agent_of.get(text) for sequence, text in systems.items()}


def _system_text(conversation: Conversation | None) -> str:
    messages = conversation.messages if conversation else ()
    return "\n".join(texts_of(message for message in messages if message.role in SYSTEM_ROLES))


def _place(call: Call, agent: str | None, before: Request | None) -> tuple[Kind, int]:
    number = before.number if before else 0
    if call.retry_of is not None or (before and before.call.failed and before.call.request == call.request):
        return "retry", number
    if agent is None or (before and not _goes_on(before)):
        return "hidden", 0
    return "step", number + 1


def _goes_on(before: Request) -> bool:
    return before.answer is not None and bool(before.answer.calls)


def _carried(conversation: Conversation | None, agents: Iterable[AgentBrief]) -> str | None:
    """The agent whose instructions it carries, in the system text before any other."""
    if conversation is None:
        return None
    system = [message for message in conversation.messages if message.role in SYSTEM_ROLES]
    for messages in (system, conversation.messages):
        text = "\n".join(texts_of(messages))
        carried = [agent for agent in agents if agent.instructions and agent.instructions in text]
        if carried:
            last = max(carried, key=lambda agent: (text.rfind(agent.instructions), len(agent.instructions)))
            return last.name
    return None


def _resembled(conversation: Conversation | None, agents: Sequence[AgentBrief]) -> str | None:
    """The agent whose request it carries, or whose instructions it carries in changed form."""
    if conversation is None:
        return None
    texts = list(texts_of(conversation.messages))
    for agent in agents:
        if agent.request.strip() and any(agent.request in text for text in texts[-1:]):
            return agent.name
    shares = {agent.name: max((_share(agent, text) for text in texts), default=0) for agent in agents}
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] >= LEAST_SHARE else None


def _share(agent: AgentBrief, text: str) -> float:
    # Instructions of two agents have common words; what is only alike has no long stretch in common.
    found = find_changed(agent.instructions, text) if agent.instructions else None
    return found.share if found else 0.0
