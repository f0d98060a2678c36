"""What every framework was handed for one task item: the yardstick of the proof from the wire."""

from __future__ import annotations

from collections.abc import Iterable
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
    description: str = ""
    handoffs: list[str] = Field(default_factory=list)
    """Agents that it may hand over to, by tools which every framework names in its own way."""
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
    max_handoffs: int = 0

    @property
    def hands_over(self) -> bool:
        """Whether the model decides who goes on: then not every agent has to be asked."""
        return any(agent.handoffs for agent in self.agents)

    def agent(self, name: str | None) -> AgentBrief | None:
        return next((agent for agent in self.agents if agent.name == name), None)


def handoff_target(tool: str, targets: Iterable[str]) -> str | None:
    """The agent that a tool hands over to, by the name that frameworks give it: "transfer_to_refunds"."""
    return next((target for target in targets if tool.endswith(f"_to_{target}")), None)


def answer_mark(agent: str) -> str:
    """What stands for an agent's answer in `AgentBrief.user_turn`."""
    return f"\u27ea{agent}\u27eb"
