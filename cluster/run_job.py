"""What a node is sent for one attempt at one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cluster.schedule import Assignment
from shared.contract import AgentSpec
from shared.plan import Limits


@dataclass(frozen=True, slots=True)
class RunJob:
    """One attempt with all it needs."""

    assignment: Assignment
    agents: tuple[AgentSpec, ...]
    tool_data: dict[str, Any]
    """Per tool, what the gateway serves it from."""
    temperature: float
    seed: int
    limits: Limits
