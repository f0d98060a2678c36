"""The tools of a run before it starts: which ones, and what they are opened with."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from shared.strict import Strict
from shared.tools.tools import Ask, Tools

DEFAULT = "shared.tools.search"
PlayedBy = Literal["script", "model"]
"""Who plays the people in a task, such as a customer: code, or the model under test."""


class Toolbox(Strict):
    module: str = Field(pattern=r"^shared\.(tasks\.\w+\.tools|tools\.\w+)$")
    """Holds the class `Tools`."""
    data: Any = None
    played_by: PlayedBy = "script"

    @property
    def kind(self) -> type[Tools]:
        found: type[Tools] = importlib.import_module(self.module).Tools
        return found

    def check(self) -> None:
        """Raises UserError where these tools cannot be opened on this machine; most can be anywhere."""
        if check := getattr(self.kind, "check", None):
            check(self.data)

    @property
    def can_be_played(self) -> bool:
        """Whether there are people in it whom a model may play."""
        return "ask" in inspect.signature(self.kind).parameters

    def open(self, ask: Ask | None = None) -> Tools:
        """Raises ValueError where a model plays people and there is none to ask."""
        if self.played_by == "script":
            return self.kind(self.data)
        if ask is None:
            raise ValueError("a model plays the people of this task, and there is none to ask")
        kind: Callable[..., Tools] = self.kind
        return kind(self.data, ask=ask)


def tools_module(folder: Path) -> str:
    """A task's own tools, or the search that all can use."""
    return f"shared.tasks.{folder.name}.tools" if (folder / "tools.py").exists() else DEFAULT
