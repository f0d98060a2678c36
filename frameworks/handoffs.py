"""What adapters share of the pattern "handoff": the count of handoffs, its limit, and the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frameworks.outcome import NoAnswer
from shared.contract import LimitReached, Outcome

if TYPE_CHECKING:
    from shared.contract import RunRequest


class Handoffs:
    """Who was handed control in a run, in order."""

    def __init__(self, request: RunRequest) -> None:
        self._most = request.max_handoffs
        self._first = request.agents[0].name
        self._started = False
        self.path: list[str] = []

    @property
    def in_control(self) -> str:
        return self.path[-1] if self.path else self._first

    def begin_turn(self, agent: str) -> None:
        """For frameworks that tell of turns alone: every one but the run's first is a handoff."""
        if self._started:
            self.add(agent)
        self._started = True

    def add(self, target: str) -> None:
        """Raises LimitReached for the one beyond the plan's number."""
        if len(self.path) >= self._most:
            raise LimitReached(
                f"{self.in_control} handed over to {target} after {self._most} handoffs, the most allowed"
            )
        self.path.append(target)

    def outcome(
        self, answer: str | None, prompt_tokens: int | None = None, completion_tokens: int | None = None
    ) -> Outcome:
        """Of a run that the agent in control ended. Tokens are the framework's own count."""
        if not (answer or "").strip():
            raise NoAnswer(f"agent {self.in_control!r} gave no answer: the model's reply holds no text")
        return Outcome(
            text=answer or "",
            agent_outputs={self.in_control: answer or ""},
            native_prompt_tokens=prompt_tokens,
            native_completion_tokens=completion_tokens,
            details={"handoffs": self.path},
        )
