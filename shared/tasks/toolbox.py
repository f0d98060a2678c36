"""The tools of a run before it starts: which ones, and what they are opened with."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from pydantic import Field

from shared.strict import Strict
from shared.tools.tools import Tools

DEFAULT = "shared.tools.search"


class Toolbox(Strict):
    module: str = Field(pattern=r"^shared\.(tasks\.\w+\.tools|tools\.\w+)$")
    """Holds the class `Tools`."""
    data: Any = None

    @property
    def kind(self) -> type[Tools]:
        found: type[Tools] = importlib.import_module(self.module).Tools
        return found

    def check(self) -> None:
        """Raises UserError where these tools cannot be opened on this machine; most can be anywhere."""
        if check := getattr(self.kind, "check", None):
            check(self.data)

    def open(self) -> Tools:
        return self.kind(self.data)


def tools_module(folder: Path) -> str:
    """A task's own tools, or the search that all can use."""
    return f"shared.tasks.{folder.name}.tools" if (folder / "tools.py").exists() else DEFAULT
