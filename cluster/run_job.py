"""What a node is sent for one attempt at one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cluster.gateway.recorded import RecordedAnswer
from cluster.schedule import Assignment
from shared.calls import Asked
from shared.contract import AgentSpec
from shared.plan import Limits, framework_of
from shared.tasks.task import Pattern
from shared.tasks.toolbox import Toolbox
from shared.trace import TraceContext

ROOM = 2
"""Times what the plan needs: what a framework sends on its own account is counted and shown, not cut off."""


@dataclass(frozen=True, slots=True)
class RunJob:
    """One attempt with all it needs."""

    assignment: Assignment
    attempt_id: str
    """Random: fences what an attempt that was given up still does."""
    agents: tuple[AgentSpec, ...]
    toolbox: Toolbox | None
    """What the gateway serves tools from."""
    temperature: float
    seed: int
    limits: Limits
    trace: TraceContext
    """Of the run's root span."""
    pattern: Pattern = "pipeline"
    replay: list[RecordedAnswer] | None = None
    """What the gateway answers instead of a model."""
    replay_asked: list[Asked] | None = None
    """What the model is to say again where it plays people in the tools."""
    replay_of: str | None = None
    """The attempt that these were recorded in."""
    replay_timing: Literal["instant", "recorded"] = "instant"

    @property
    def framework(self) -> str:
        """Whose adapter and environment; the key names the subject."""
        return framework_of(self.assignment.key.framework)

    @property
    def max_handoffs(self) -> int:
        return self.limits.max_handoffs if self.pattern == "handoff" else 0

    @property
    def most_model_calls(self) -> int:
        return ROOM * sum(steps for steps, _ in self._turns)

    @property
    def most_completion_tokens(self) -> int:
        return ROOM * sum(steps * tokens for steps, tokens in self._turns)

    @property
    def _turns(self) -> list[tuple[int, int]]:
        """Model calls, and tokens of each, that turn after turn may take: by handoff any agent."""
        needs = [(self._steps(agent), agent.max_tokens) for agent in self.agents]
        if self.pattern == "pipeline":
            return needs
        most = (max(steps for steps, _ in needs), max(tokens for _, tokens in needs))
        return [most] * (self.max_handoffs + 1)

    def _steps(self, agent: AgentSpec) -> int:
        return self.limits.max_steps if agent.tools or agent.handoffs else 2
