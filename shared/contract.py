"""What crosses into a framework's environment: a request in, an outcome out.

Standard library only, so that no framework's pins can clash with ours.
An adapter is a module `frameworks/<name>/adapter.py` with the members of `Adapter`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model sees it. `shared.tools.client.call_tool` executes it, never the adapter."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON schema of the arguments object."""


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """One agent of the task. All wording comes from `shared.prompts`; an adapter adds none."""

    name: str
    """Lower-case identifier, e.g. "researcher"."""
    instructions: str
    """The system prompt."""
    request: str
    """The user turn that gives this agent its work, with the item filled in."""
    max_tokens: int
    """Limit of completion tokens for each of this agent's model calls."""
    tools: tuple[ToolSpec, ...] = ()
    """What this agent may call; empty when the tool results are handed over beforehand."""
    description: str = ""
    """What it is for, in a line: what an agent reads that may hand over to it."""
    handoffs: tuple[str, ...] = ()
    """Names of the agents that it may hand over to (only in the pattern "handoff")."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run of the task.

    In the pattern "pipeline" the agents work in order, each seeing what the ones before it wrote. In
    "handoff" the first agent starts with its request, and whoever has control says by a tool call who goes
    on; an agent that answers without one ends the run. Only the first agent's request is said.
    """

    run_id: str
    base_url: str
    """OpenAI-compatible endpoint of this run alone, ending in /v1. The path is a secret: never log it."""
    tools_url: str
    """Where `call_tool` sends this run's tool calls."""
    model: str
    agents: tuple[AgentSpec, ...]
    temperature: float
    seed: int
    request_timeout_s: float
    """For each model call. Retries are 0 in every framework."""
    max_steps: int
    """Most model calls of an agent each time it has control (matters only with tools)."""
    pattern: str = "pipeline"
    max_handoffs: int = 0
    """Most handoffs in the run, each carried out; the model's next one is a `LimitReached`."""
    arm: str = "idiomatic"
    traceparent: str | None = None
    """W3C context of the run's root span. The worker sets it as TRACEPARENT; an adapter has no use for it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a framework hands back. Tokens are its own count, to be held against the wire's."""

    text: str
    """The last agent's answer: the report."""
    agent_outputs: dict[str, str]
    """Each agent's final answer, by agent name, in order; after handoffs, the one that ended the run."""
    native_prompt_tokens: int | None = None
    """As the framework reports them; None when it reports nothing."""
    native_completion_tokens: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
    """Anything else worth keeping, JSON-compatible."""


class LimitReached(Exception):
    """Raised by an adapter when it was stopped at `max_steps` or `max_handoffs` before a final answer."""


class Adapter(Protocol):
    """The members of `frameworks/<name>/adapter.py`. Importing it must import the framework."""

    DISTRIBUTIONS: tuple[str, ...]
    """Names of the installed distributions whose versions a record names, the framework itself first."""
    PATTERNS: tuple[str, ...]
    """The patterns that it knows, as its row in `runtime_envs/catalog.py` says too."""

    def run(self, request: RunRequest) -> Outcome:
        """Run the agents in the framework's plainest idiom.

        Called once in a fresh process, in its main thread, with no event loop running. Any exception is
        recorded as the framework's error, unless the wire shows that the model server failed.
        """
        ...
