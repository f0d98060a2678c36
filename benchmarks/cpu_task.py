"""The three-agent task that every subject of `cpu` carries out. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.contract import AgentSpec
from shared.prompts.pass_on import user_turn

TEMPERATURE, SEED = 0.0, 7


def agents_of(config: Mapping[str, Any]) -> tuple[AgentSpec, ...]:
    return tuple(AgentSpec(**{**agent, "tools": ()}) for agent in config["agents"])


def parameters(spec: AgentSpec, answers: Mapping[str, str], model: str) -> dict[str, Any]:
    """A chat completion's body: what `frameworks.direct` sends, too."""
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": spec.instructions},
            {"role": "user", "content": user_turn(spec, answers)},
        ],
        "temperature": TEMPERATURE,
        "seed": SEED,
        "max_tokens": spec.max_tokens,
    }
