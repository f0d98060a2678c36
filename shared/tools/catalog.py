"""Every tool there is: how the model sees it, and the function that the gateway runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.contract import ToolSpec
from shared.tools.search import search

TOOLS: dict[str, Callable[[Any, dict[str, Any]], str]] = {"search": search}
"""Name -> function of the item's data for that tool and the model's arguments."""

SPECS: dict[str, ToolSpec] = {
    "search": ToolSpec(
        name="search",
        description="Look up facts. One topic for each call.",
        parameters={
            "type": "object",
            "properties": {"query": {"type": "string", "description": "The topic, in a word or a few."}},
            "required": ["query"],
        },
    )
}
