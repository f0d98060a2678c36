"""What every framework was handed for one task item: the yardstick of the proof from the wire."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from shared.strict import Strict


class AgentBrief(Strict):
    """One agent as the plan describes it; `shared.contract.AgentSpec` is what the adapter gets of it."""

    name: str
    instructions: str
    request: str
    max_tokens: int
    tools: list[dict[str, Any]] = Field(default_factory=list)
    """Name, description and parameters of each tool it may call."""
    user_turn: str | None = None
    """Its whole user turn where handing over is the plan's; `answer_mark` stands for each earlier answer."""


class Brief(Strict):
    """The same for all frameworks and both arms."""

    task: str
    item: str
    agents: list[AgentBrief]
    model: str
    """As requests must name it."""
    temperature: float
    seed: int
    max_steps: int

    def agent(self, name: str | None) -> AgentBrief | None:
        return next((agent for agent in self.agents if agent.name == name), None)


def answer_mark(agent: str) -> str:
    """What stands for an agent's answer in `AgentBrief.user_turn`."""
    return f"\u27ea{agent}\u27eb"
