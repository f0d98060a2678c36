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
