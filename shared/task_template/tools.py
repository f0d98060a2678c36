"""The tools of this task. Leave the file out, and agents have the tool `search` over an item's facts."""

from __future__ import annotations

from typing import Any, ClassVar

from shared.contract import ToolSpec


class Tools:
    """One object for each run, so it may remember what the run did; see `shared.tools.tools.Tools`."""

    SPECS: ClassVar[tuple[ToolSpec, ...]] = (
        ToolSpec(
            name="look_up",
            description="What the notes say of one topic.",
            parameters={
                "type": "object",
                "properties": {"topic": {"type": "string", "description": "The topic's name."}},
                "required": ["topic"],
            },
        ),
    )

    def __init__(self, data: Any) -> None:
        self._notes: dict[str, str] = data

    def call(self, name: str, arguments: dict[str, Any]) -> str:  # noqa: ARG002 - there is only one
        known = ", ".join(self._notes)
        topic = arguments.get("topic")
        if not isinstance(topic, str):
            return f'look_up needs a text argument "topic". Topics: {known}.'
        return self._notes.get(topic.strip().lower(), f"There is nothing on {topic[:80]!r}. Topics: {known}.")

    def close(self) -> None:
        pass
