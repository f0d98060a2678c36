"""The tools of this task. Leave the file out, and agents have the tool `search` over an item's facts."""

from __future__ import annotations

from typing import Any, ClassVar

from shared.contract import ToolSpec
from shared.tools.arguments import text_argument


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
        self._topics = ", ".join(data)
        self._notes: dict[str, str] = {topic.casefold(): text for topic, text in data.items()}

    def call(self, name: str, arguments: dict[str, Any]) -> str:  # noqa: ARG002 - there is only one
        topic = text_argument(arguments, "topic")
        if topic is None:
            return f'look_up needs a text argument "topic". Topics: {self._topics}.'
        unknown = f"There is nothing on {topic[:80]!r}. Topics: {self._topics}."
        return self._notes.get(topic.strip().casefold(), unknown)

    def close(self) -> None:
        pass
