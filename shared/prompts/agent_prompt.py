"""One agent's wording. A task's module here holds PROMPTS, agent name -> AgentPrompt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AgentPrompt:
    """Requests are templates for `str.format`: {item} is the item's name, {as_of} the date of its facts, and
    {results} the tool results handed over.
    """

    instructions: str
    """System prompt."""
    request: str
    """User turn. Frameworks put other turns before it, so it makes sense on its own."""
    request_with_tools: str | None = None
    """The user turn when the agent is to call its tools itself; None: the same as `request`."""
