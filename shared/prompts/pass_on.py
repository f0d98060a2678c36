"""How an agent is handed what the agents before it wrote, where it is ours to say, not the framework's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.contract import AgentSpec


def user_turn(spec: AgentSpec, earlier: Mapping[str, str]) -> str:
    """The whole user turn of an agent: each earlier agent's output under a heading, then its request.

    The request comes last because small models forget one that comes first. The `equalised` arm sends exactly
    this from every framework; `direct` always does.
    """
    sections = [f"## {name}'s output\n\n{text}" for name, text in earlier.items()]
    return "\n\n".join([*sections, spec.request])
