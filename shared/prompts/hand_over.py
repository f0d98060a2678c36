"""The tool by which an agent hands over, in the words for adapters whose framework has none of its own."""

from __future__ import annotations

from shared.contract import AgentSpec, ToolSpec

ONE_AT_A_TIME = "Not done: control was handed over to another agent by the call before this one."


def transfer_tool(target: AgentSpec) -> ToolSpec:
    return ToolSpec(
        name=f"transfer_to_{target.name}",
        description=target.description,
        parameters={"type": "object", "properties": {}},
    )


def transferred(target: str) -> str:
    """The tool's answer, which the agent that goes on reads last."""
    return f"Transferred to {target}."
