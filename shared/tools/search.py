"""The tool `search`: looks a topic up in data that was fixed beforehand. Deterministic, and never raises.

`data` is {"subject": name, "topics": {topic: {"words": [words that also ask for it], "text": answer}}}.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from shared.contract import ToolSpec
from shared.tools.arguments import text_argument

NAMED = 2
"""Weight of a topic's own name against 1 for each of its other words."""

MAX_QUERY_CHARS = 1000


class Tools:
    """See `shared.tools.tools.Tools`."""

    SPECS: ClassVar[tuple[ToolSpec, ...]] = (
        ToolSpec(
            name="search",
            description="Look up facts. One topic for each call.",
            parameters={
                "type": "object",
                "properties": {"query": {"type": "string", "description": "The topic, in a word or a few."}},
                "required": ["query"],
            },
        ),
    )

    def __init__(self, data: Any) -> None:
        self._data = data

    def call(self, name: str, arguments: dict[str, Any]) -> str:  # noqa: ARG002 - there is only one
        return search(self._data, arguments)

    def close(self) -> None:
        pass


def search(data: dict[str, Any], arguments: dict[str, Any]) -> str:
    """The facts on the topic that the query asks for, or how to ask."""
    topics: dict[str, dict[str, Any]] = data["topics"]
    query = text_argument(arguments, "query")
    if query is None:
        return f'search needs a text argument "query". {_known(topics)}'
    topic = _topic_asked_for(query, topics)
    if topic is None:
        return f"No results for {query[:80]!r}. {_known(topics)}"
    return f"{data['subject']}: {topic}\n{topics[topic]['text']}"


def _topic_asked_for(query: str, topics: dict[str, dict[str, Any]]) -> str | None:
    """The topic with most of its words in the query; between equals the later one, which is the narrower."""
    asked = set(re.findall(r"[a-z]+", query[:MAX_QUERY_CHARS].lower()))
    best, best_weight = None, 0
    for topic, entry in topics.items():
        weight = NAMED * (topic in asked) + len(asked.intersection(entry["words"]))
        if weight and weight >= best_weight:
            best, best_weight = topic, weight
    return best


def _known(topics: dict[str, dict[str, Any]]) -> str:
    return f"Known queries: {', '.join(topics)}."
